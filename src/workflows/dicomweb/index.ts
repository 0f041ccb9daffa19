export { fetchStudy, type StudyRequest } from './fetch-study.js';
export { storeResults } from './store-results.js';
export { StudyJournal, studyFolders } from './study-journal.js';
