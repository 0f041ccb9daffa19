export { fetchStudy } from './fetch-study.js';
export { storeResults } from './store-results.js';
export { StudyJournal } from './study-journal.js';
