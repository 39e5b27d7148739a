/** For each user, up to where somebody has looked for patterns, or is about to. */
export interface ActivityLooksTable {
  user_id: string;
  /** The newest row of `activity_log` that the user had when the look was accepted: only newer ones are a reason to look again. */
  looked_to_id: number;
  /** The job of the look: while it is open, the user gets no other. */
  job_id: string;
  looked_at: Date;
}
