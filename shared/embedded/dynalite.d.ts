/** The part of dynalite, a DynamoDB emulator without types of its own, that is used here. */
declare module 'dynalite' {
  import type { Server } from 'node:http';

  interface DynaliteOptions {
    /** The folder that keeps the data. */
    path: string;
    /** How long a table stays in the state CREATING, in milliseconds. */
    createTableMs?: number;
    deleteTableMs?: number;
    updateTableMs?: number;
  }

  export default function dynalite(options: DynaliteOptions): Server;
}
