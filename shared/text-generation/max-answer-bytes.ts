/** No answer of a model is as large: a hundred thousand tokens are some 400 KB. */
export const maxAnswerBytes = 4 * 1024 * 1024;
