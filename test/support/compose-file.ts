import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { root } from './source-files.ts';

const serviceSchema = z.object({
  build: z.string().optional(),
  image: z.string(),
  command: z.array(z.string()).optional(),
  profiles: z.array(z.string()).default([]),
  /** `null`: handed on by its name. */
  environment: z.record(z.string(), z.string().nullable()).default({}),
  ports: z.array(z.string()).default([]),
  volumes: z.array(z.string()).default([]),
  tmpfs: z.array(z.string()).default([]),
  init: z.boolean().default(false),
  read_only: z.boolean().default(false),
  restart: z.string().optional(),
  cap_drop: z.array(z.string()).default([]),
  security_opt: z.array(z.string()).default([]),
  mem_limit: z.string().optional(),
  stop_grace_period: z.string().optional(),
  container_name: z.string().optional(),
  deploy: z.object({ replicas: z.string() }).optional(),
  logging: z.object({ driver: z.string(), options: z.record(z.string(), z.string()) }).optional(),
  healthcheck: z
    .object({ disable: z.boolean().default(false), test: z.array(z.string()).default([]) })
    .optional(),
});

export type ComposeService = z.output<typeof serviceSchema>;

export const composeText = readFileSync(join(root, 'docker-compose.yml'), 'utf8');

/** What docker-compose.yml says of each service; variables as they stand there. */
export const { services } = z
  .object({ services: z.record(z.string(), serviceSchema) })
  .parse(parse(composeText, { merge: true }));

/** The variables that a text with `${NAME:-default}` asks for; `$$` is a dollar sign. */
export function interpolatedIn(text: string): string[] {
  return [...text.matchAll(/(?<!\$)\$\{([A-Z][A-Z0-9_]*)/g)].map(([, variable = '']) => variable);
}
