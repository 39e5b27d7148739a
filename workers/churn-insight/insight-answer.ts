import { z } from 'zod';

/** What a model must answer. Fields that nobody asked for are tolerated and dropped. */
export const insightAnswerSchema = z.object({
  risk_score: z.number().min(0).max(100),
  explanation: z.string().trim().min(1).max(4_000),
  recommendations: z.array(z.string().trim().min(1).max(1_000)).min(2).max(3),
});

export type InsightAnswer = z.output<typeof insightAnswerSchema>;
