/** Prompts, their phrases, and the tokenizer of the text encoder. */

export { ClipTokenizer } from './clip-tokenizer.js';
export { canonicalPhrase, phraseFrom, respelt, splitPrompt } from './phrase.js';
export { asData, type EncodedPrompt, PromptTokenizer } from './prompt-tokenizer.js';
export { SentenceTokenizer } from './sentence-tokenizer.js';
