/** Document 000's key, under which the call-time worker caches a number's prediction. */
export function predictionCacheKey(phoneNumber: string): string {
  return `ml:prediction:${phoneNumber}`;
}
