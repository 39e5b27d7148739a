/** What is known of each lead. Other systems may write rows too. */
export interface LeadsTable {
  lead_id: string;
  /** A JSON object: what is known, by the names of the model's columns. */
  features: string;
  updated_at: Date;
}
