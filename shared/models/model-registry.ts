/** What the registry knows of a version. Once registered, it never changes. */
export interface ModelVersion {
  modelId: string;
  version: string;
  modelType: string;
  /** Of the manifest's bytes: everything else of the version is checked against the manifest. */
  manifestSha256: string;
  /** ISO, UTC. */
  registeredAt: string;
}

/** The champion is the version that answers; the challenger answers beside it, for comparison only. */
export type ModelAlias = 'champion' | 'challenger';

/** A version became the champion. */
export interface ChampionChange {
  version: string;
  action: 'promote' | 'rollback';
  /** ISO, UTC. */
  at: string;
}

/** A model, and which of its versions do what, as it was when it was read. */
export interface RegisteredModel extends Record<ModelAlias, string | undefined> {
  modelId: string;
  /** Oldest first, by the time of registering. */
  versions: ModelVersion[];
  /** Former champions to go back to, the latest last. */
  formerChampions: string[];
  /** The latest changes of the champion, oldest first. */
  history: ChampionChange[];
  /** How often an alias was changed. */
  revision: number;
}

/**
 * Which versions of which models there are, and which of them are served. Every call throws StoreUnavailableError
 * when the registry does not answer.
 *
 * An alias is changed of a model as it was read: whoever was slower than somebody else gets a JobError with the code
 * `REGISTRY_CHANGED`, and has changed nothing.
 */
export interface ModelRegistry extends Disposable {
  /**
   * Adds a version. Registering the same one again does nothing.
   *
   * @returns whether it is new
   * @throws JobError `MODEL_VERSION_TAKEN` when the version is another bundle's
   */
  register(version: Omit<ModelVersion, 'registeredAt'>): Promise<boolean>;
  /** Every model, by id. */
  list(): Promise<RegisteredModel[]>;
  /** `undefined` when no version of it is registered. */
  read(modelId: string): Promise<RegisteredModel | undefined>;
  /** @param which a version, or the alias of one */
  find(modelId: string, which: string): Promise<ModelVersion | undefined>;
  /**
   * Makes a version the champion; nothing changes when it is. A challenger that is promoted is none any more.
   *
   * @returns whether it was another one
   * @throws JobError `MODEL_VERSION_UNKNOWN`, `REGISTRY_CHANGED`
   */
  promote(model: RegisteredModel, version: string): Promise<boolean>;
  /**
   * Makes the latest of the former champions the champion again.
   *
   * @returns its version
   * @throws JobError `NO_FORMER_CHAMPION`, `REGISTRY_CHANGED`
   */
  rollBack(model: RegisteredModel): Promise<string>;
  /**
   * Says which version answers beside the champion.
   *
   * @param version `undefined`: none
   * @returns whether that was otherwise before
   * @throws JobError `MODEL_VERSION_UNKNOWN`, `MODEL_VERSION_SERVED` when it is the champion, `REGISTRY_CHANGED`
   */
  setChallenger(model: RegisteredModel, version: string | undefined): Promise<boolean>;
}
