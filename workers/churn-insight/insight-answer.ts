import { z } from 'zod';

/** Document 002 takes a number in quotes too. */
const riskScoreSchema = z.preprocess(
  (value) => (typeof value === 'string' && /^\s*\d{1,3}(\.\d{1,9})?\s*$/.test(value) ? Number(value) : value),
  z.number().min(0).max(100),
);

/** What a model must answer. Fields that nobody asked for are tolerated and dropped. */
export const insightAnswerSchema = z.object({
  risk_score: riskScoreSchema,
  explanation: z.string().trim().min(1).max(4_000),
  recommendations: z.array(z.string().trim().min(1).max(1_000)).min(2).max(3),
});

export type InsightAnswer = z.output<typeof insightAnswerSchema>;
