/** What a challenger said of a lead beside the champion that answered; written once. */
export interface LeadShadowScoresTable {
  /** The job of the request, as in `lead_scores`. */
  job_id: string;
  lead_id: string;
  model_id: string;
  champion_version: string;
  challenger_version: string;
  /** That the lead converts, from 0 to 1; null where the version rejects the lead's features. */
  champion_probability: number | null;
  challenger_probability: number | null;
  /** When the champion scored it, as in `lead_scores`: the challenger was given the features of that moment. */
  scored_at: Date;
}
