/** Prompts, their phrases, and the tokenizer of the text encoder. */

export { canonicalPhrase, phraseFrom, respelt, splitPrompt } from './phrase.js';
export { asData, type EncodedPrompt, PromptTokenizer } from './prompt-tokenizer.js';
export { SentenceTokenizer } from './sentence-tokenizer.js';
