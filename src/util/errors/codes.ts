/** The classes of errors that a code may belong to. A subclass has the codes of its parent. */
export type ErrorClass =
  | 'CheckpointError'
  | 'ConfigError'
  | 'DataError'
  | 'HttpError'
  | 'HubError'
  | 'InUseError'
  | 'RuntimeError'
  | 'SonogroundError'
  | 'StoreError'
  | 'TrainingStopped'
  | 'UsageError';

interface CodeEntry {
  /** The classes that are thrown with it. */
  readonly classes: readonly [ErrorClass, ...ErrorClass[]];
  /** One sentence, true of every place that throws it. */
  readonly meaning: string;
  /** What to do where the message does not say more. */
  readonly remedy: string;
}

/**
 * Every code that an error may have: one for each kind of failure that a program would treat differently. Codes are stable: a
 * message may be worded anew, its code stays. `docs/errors.md` is made from this table (`npm run docs`).
 */
// biome-ignore format: a code has two lines, so that the table can be read as one
export const errorCodes = {
  // Files and folders
  E_FILE_NOT_FOUND: { classes: ['CheckpointError', 'ConfigError', 'DataError', 'UsageError'],
    meaning: 'A file or folder that was named does not exist.', remedy: 'Check the path.' },
  E_FILE_UNREADABLE: { classes: ['CheckpointError', 'ConfigError', 'DataError'],
    meaning: 'The operating system does not let a file or folder be read.', remedy: 'Check its permissions and the disk.' },
  E_FILE_KIND: { classes: ['CheckpointError', 'ConfigError', 'DataError'],
    meaning: 'A path leads to something of another kind: a folder, a pipe or a device in place of a file, or a file in place of a folder.', remedy: 'Check the path.' },
  E_FILE_TOO_LARGE: { classes: ['CheckpointError', 'DataError'],
    meaning: 'A file has more bytes or entries than are read.', remedy: 'Check that it is the right file, or divide it.' },
  E_FILE_WRITE: { classes: ['HubError', 'RuntimeError', 'SonogroundError'],
    meaning: 'A file or folder cannot be written.', remedy: 'Check the permissions and the disk, or choose another folder.' },
  E_DISK_FULL: { classes: ['HubError', 'SonogroundError'],
    meaning: 'The disk or the disk quota is used up, or would be.', remedy: 'Free some space, or choose a folder on another disk.' },
  E_FOLDER_IN_USE: { classes: ['InUseError'],
    meaning: 'Another process works in a folder.', remedy: 'Wait for it to end, or choose another folder.' },
  E_OUTPUT_EXISTS: { classes: ['DataError', 'HubError', 'UsageError'],
    meaning: 'The place for the results holds something already, which is not overwritten.', remedy: 'Choose another place, or allow overwriting where that is offered.' },
  E_INPUT_IS_OUTPUT: { classes: ['DataError', 'UsageError'],
    meaning: 'Input and results would lie in each other.', remedy: 'Choose a place for the results outside of the input.' },
  E_PATH_OUTSIDE: { classes: ['DataError', 'HubError'],
    meaning: 'A name in a file or a listing leads out of its folder.', remedy: 'Do not trust its source; copy the file to its place if it is yours.' },
  E_NAME_CLASH: { classes: ['DataError', 'UsageError'],
    meaning: 'Two things that must be told apart have one name.', remedy: 'Rename or remove one of them.' },

  // What was asked for
  E_COMMAND_LINE: { classes: ['UsageError'],
    meaning: 'A command line is not understood.', remedy: 'Read the help of the command.' },
  E_OPTION_VALUE: { classes: ['UsageError'],
    meaning: 'An option or argument has a value that it may not have.', remedy: 'Take one of the values that the message names.' },
  E_OPTION_MISSING: { classes: ['UsageError'],
    meaning: 'An option or argument that is needed was not given.', remedy: 'Give it.' },
  E_OPTION_CONFLICT: { classes: ['UsageError'],
    meaning: 'Options do not go together, or not with this model or dataset.', remedy: 'Leave one of them out, or change it.' },
  E_ENVIRONMENT: { classes: ['ConfigError', 'HubError'],
    meaning: 'An environment variable has a value that cannot be used, or not safely.', remedy: 'Correct or unset it.' },
  E_NO_IMAGES: { classes: ['DataError', 'UsageError'],
    meaning: 'There is no image where images were expected.', remedy: 'Check the path or the pattern.' },
  E_PROMPT_TOO_LONG: { classes: ['DataError', 'UsageError'],
    meaning: 'A prompt has more tokens than the model takes.', remedy: 'Ask for fewer phrases at a time, or for shorter ones.' },
  E_PROMPT_DUPLICATE: { classes: ['DataError', 'UsageError'],
    meaning: 'Two phrases are the same, to the reader or to the tokenizer.', remedy: 'Name each thing once.' },
  E_PROMPT_TEXT: { classes: ['DataError', 'UsageError'],
    meaning: 'A prompt or phrase holds no word, or a token that ends phrases.', remedy: 'Say what to look for in words, as in "benign lesion. cyst."' },
  E_PROMPT_INVALID: { classes: ['SonogroundError', 'UsageError'],
    meaning: 'Boxes, points, labels or earlier masks given as prompts do not fit each other or the image.', remedy: 'Give pixels of the image, one label a point, and equally many of each.' },
  E_INPUT_INVALID: { classes: ['UsageError'],
    meaning: 'The tensors given for a raw forward pass are not those that the model takes.', remedy: 'Give the names, types and shapes that the message lists.' },

  // Methods of the comparison
  E_METHOD_UNKNOWN: { classes: ['UsageError'],
    meaning: 'There is no method of that name.', remedy: 'Take one of the names that the message lists.' },
  E_METHOD_NOT_BUILT: { classes: ['UsageError'],
    meaning: 'A method is known by name but is not implemented in this version.', remedy: 'Run it in its own environment, and give its masks to eval as predictions.' },
  E_METHOD_PROMPT: { classes: ['UsageError'],
    meaning: 'A method is asked with another kind of prompt than it takes, or without one.', remedy: 'Give what the message says that it takes.' },
  E_METHOD_WEIGHTS: { classes: ['CheckpointError'],
    meaning: 'Weights are not those of the method that should load them.', remedy: 'Name the weights that the message describes.' },

  // Configurations
  E_CONFIG_SYNTAX: { classes: ['ConfigError'],
    meaning: 'A configuration, or the override of a setting, is not valid YAML.', remedy: 'Correct it at the place that the message names; an override is written as key.path=value.' },
  E_CONFIG_VALUE: { classes: ['ConfigError'],
    meaning: 'A setting is unknown, missing, or has a value that it may not have.', remedy: 'Correct the settings that the message lists.' },
  E_CONFIG_CONFLICT: { classes: ['ConfigError'],
    meaning: 'Settings contradict each other.', remedy: 'Remove or change one of them.' },
  E_CONFIG_PATTERN: { classes: ['ConfigError'],
    meaning: 'A pattern over modules or parameters fits none, or leaves nothing, or fits what it may not.', remedy: 'Write it over the paths of this model.' },
  E_CONFIG_CHANGED: { classes: ['CheckpointError', 'ConfigError'],
    meaning: 'A run is resumed under other settings than it was begun with.', remedy: 'Resume with its own settings, or start a new run.' },

  // Datasets
  E_DATASET_UNKNOWN: { classes: ['UsageError'],
    meaning: 'No dataset of that name can be imported.', remedy: 'Take one of the names that the message lists.' },
  E_DATASET_NOT_FOUND: { classes: ['DataError'],
    meaning: 'A folder to import does not hold the dataset that it should, not all of it, or nothing usable of it.', remedy: 'Copy what is missing there, and look at the first problem that the message names.' },
  E_DATASET_NOT_IMPORTED: { classes: ['DataError'],
    meaning: 'There is no dataset in the layout of this project where one is needed.', remedy: 'Import it, or put it there.' },
  E_DATASET_PACKED: { classes: ['DataError'],
    meaning: 'A dataset is still in its archive.', remedy: 'Unpack it.' },
  E_DATASET_OTHER: { classes: ['DataError'],
    meaning: 'A folder holds another dataset than the one named, or the same by another protocol.', remedy: 'Name what is there, or import the dataset again.' },
  E_SPLITS_INVALID: { classes: ['DataError'],
    meaning: 'A file of splits is damaged, does not fit the dataset, or trains on what is held back for testing.', remedy: 'Use one that an import of the same dataset wrote.' },
  E_SPLIT_EMPTY: { classes: ['ConfigError', 'DataError'],
    meaning: 'A split or fold that is needed has no image.', remedy: 'Choose another split, give it a larger share, or use more images.' },
  E_TABLE_INVALID: { classes: ['DataError'],
    meaning: 'A table that comes with a dataset cannot be read, or lacks the columns or rows that it was published with.', remedy: 'Use the table as it was published, or save it as .csv.' },
  E_ANNOTATIONS_INVALID: { classes: ['DataError'],
    meaning: 'An annotation file, or an annotation in it, is not valid.', remedy: 'Write or export it again as COCO object detection annotations.' },
  E_ANNOTATIONS_SIZE: { classes: ['DataError'],
    meaning: 'Annotations were made on an image of another size.', remedy: 'Restore the size at which it was annotated.' },
  E_DATA_UNUSABLE: { classes: ['DataError'],
    meaning: 'Images or masks of a dataset cannot be used.', remedy: 'Mend them, take them out of the dataset, or let an import skip them.' },
  E_DATA_OVERLAP: { classes: ['DataError'],
    meaning: 'Patients or images of train are in val or test too.', remedy: 'Split by patient, or allow it with data.allowOverlap: true.' },
  E_DATA_NO_OBJECTS: { classes: ['ConfigError', 'DataError'],
    meaning: 'No image of a split shows an object.', remedy: 'Look at how its masks were read.' },
  E_DATA_CHANGED: { classes: ['DataError'],
    meaning: 'A run is resumed on other data than it was begun with.', remedy: 'Put the data back, allow the change, or start a new run.' },
  E_LOADER_FAILED: { classes: ['DataError'],
    meaning: 'A thread that reads samples failed in a way that was not expected.', remedy: 'Report it.' },

  // Images
  E_IMAGE_UNREADABLE: { classes: ['DataError'],
    meaning: 'A file cannot be read as an image of the format that it seems to have, or of any.', remedy: 'Check that it is a complete image file.' },
  E_IMAGE_DAMAGED: { classes: ['DataError'],
    meaning: 'An image file is cut off, damaged, or contradicts its own header.', remedy: 'Copy or export it again.' },
  E_IMAGE_FORMAT: { classes: ['DataError'],
    meaning: 'An image is of a variant of its format that is not read.', remedy: 'Export it in the form that the message names.' },
  E_IMAGE_NO_PIXELS: { classes: ['DataError'],
    meaning: 'A DICOM file holds no image.', remedy: 'Choose an image file, not a report or a directory.' },
  E_IMAGE_TOO_LARGE: { classes: ['DataError'],
    meaning: 'An image, or what is annotated on it, takes more pixels, memory or work than is allowed.', remedy: 'Check the file, or make it smaller.' },
  E_IMAGE_TOO_SMALL: { classes: ['ConfigError'],
    meaning: 'An image gives the detector fewer cells than it has queries.', remedy: 'Use fewer queries, larger images or more feature levels.' },
  E_IMAGE_BROWSER: { classes: ['DataError'],
    meaning: 'An image is of a kind that is not read in a browser, only by the server.', remedy: 'Open it with the server, or export it as the message says.' },
  E_FRAME_NOT_FOUND: { classes: ['DataError'],
    meaning: 'A file has no frame, page or slice of that address.', remedy: 'Give its number from 0, as in 3; of a volume also x40, y40, 40t2.' },
  E_FRAME_AMBIGUOUS: { classes: ['DataError'],
    meaning: 'A file holds several frames, pages or slices, and none was named.', remedy: 'Name one of them, as in FILE#3.' },

  // Masks and labels
  E_MASK_NOT_FOUND: { classes: ['DataError'],
    meaning: 'There is no mask of the name of an image.', remedy: 'Name masks after their images.' },
  E_MASK_SIZE: { classes: ['DataError', 'SonogroundError'],
    meaning: 'A mask does not have the size, proportions or place of its image.', remedy: 'Resample it to the grid of its image.' },
  E_MASK_VALUE: { classes: ['DataError'],
    meaning: 'The levels or colours of a mask do not tell what is inside.', remedy: 'Save it with 0 outside and one level or colour for each class.' },
  E_MASK_EMPTY: { classes: ['DataError'],
    meaning: 'A mask of an object shows none, or an outline without an inside.', remedy: 'Redraw it, or leave it out.' },
  E_EXEMPLARS_CLASS: { classes: ['UsageError'],
    meaning: 'Exemplars show several structures, or not the one that was named.', remedy: 'Name one of the structures that the message lists.' },
  E_QUERY_IN_SUPPORT: { classes: ['DataError'],
    meaning: 'An image to segment is itself one of the exemplars.', remedy: 'Take it out of the exemplars, or out of the images.' },

  // Models, weights and adapters
  E_MODEL_NOT_FOUND: { classes: ['CheckpointError', 'UsageError'],
    meaning: 'A model is neither a folder nor a name that is known.', remedy: 'Check the path or the name.' },
  E_MODEL_NOT_DOWNLOADED: { classes: ['HubError'],
    meaning: 'A model that is known by name is not in the cache.', remedy: 'Download it.' },
  E_MODEL_NAME: { classes: ['UsageError'],
    meaning: 'The name of a model on the hub cannot be understood.', remedy: 'Give owner/repo, owner/repo@revision or a short name.' },
  E_MODEL_TYPE: { classes: ['CheckpointError'],
    meaning: 'A model is of another type than the one needed.', remedy: 'Name the folder of such a model.' },
  E_MODEL_CONFIG: { classes: ['CheckpointError', 'ConfigError'],
    meaning: 'The config.json of a model has fields that cannot be true together, or are missing.', remedy: 'Copy or download it again.' },
  E_MODEL_INCOMPLETE: { classes: ['CheckpointError', 'ConfigError'],
    meaning: 'A folder lacks a file that the model needs.', remedy: 'Copy the missing file into the folder.' },
  E_MODEL_DAMAGED: { classes: ['CheckpointError'],
    meaning: 'A file that belongs to a model or an adapter, other than its weights, is damaged.', remedy: 'Copy or download it again.' },
  E_WEIGHTS_AMBIGUOUS: { classes: ['CheckpointError', 'HubError'],
    meaning: 'Several files may be the weights of a model.', remedy: 'Name one of them.' },
  E_WEIGHTS_DAMAGED: { classes: ['CheckpointError'],
    meaning: 'A file of weights is cut off or damaged.', remedy: 'Copy or download it again.' },
  E_WEIGHTS_FORMAT: { classes: ['CheckpointError'],
    meaning: 'Weights are stored in a form that is not read.', remedy: 'Save them again in Python as the message says.' },
  E_WEIGHTS_UNSAFE: { classes: ['CheckpointError'],
    meaning: 'A file of weights refers to code that weights do not need.', remedy: 'Save the weights alone: torch.save(model.state_dict(), path).' },
  E_WEIGHTS_MISMATCH: { classes: ['CheckpointError'],
    meaning: 'Weights do not fit the model, or the names under which they are read or written.', remedy: 'Check that config.json belongs to these weights.' },
  E_WEIGHTS_NOT_FINITE: { classes: ['CheckpointError'],
    meaning: 'Weights hold NaN or infinite values, or are too large to compute with.', remedy: 'Take an earlier checkpoint, or copy the file again.' },
  E_NUMBER_RANGE: { classes: ['CheckpointError'],
    meaning: 'A number does not fit into the type in which it would be kept.', remedy: 'Choose a wider type.' },
  E_ADAPTER_NOT_FOUND: { classes: ['CheckpointError', 'UsageError'],
    meaning: 'There is no adapter where one was named or is needed.', remedy: 'Name the folder of an adapter, such as the best/ of a run.' },
  E_ADAPTER_FORMAT: { classes: ['CheckpointError'],
    meaning: 'An adapter is not a plain LoRA adapter of PEFT.', remedy: 'Only plain LoRA adapters can be read.' },
  E_ADAPTER_BASE: { classes: ['CheckpointError'],
    meaning: 'An adapter does not name the model that it was trained on.', remedy: 'Name the model, and the adapter beside it.' },
  E_ADAPTER_MISMATCH: { classes: ['CheckpointError'],
    meaning: 'An adapter does not fit the model.', remedy: 'Name the model that the adapter was trained on.' },
  E_CALIBRATION_DAMAGED: { classes: ['CheckpointError'],
    meaning: 'A file of calibration is damaged.', remedy: 'Delete it, or calibrate again.' },

  // The hub
  E_HUB_OFFLINE: { classes: ['HubError'],
    meaning: 'Something is needed from the hub, and HF_HUB_OFFLINE forbids to ask.', remedy: 'Unset it, or copy the files of the model by hand.' },
  E_HUB_UNREACHABLE: { classes: ['HubError'],
    meaning: 'Nothing answers at the address of the hub.', remedy: 'Connect this machine, or set HF_ENDPOINT to a mirror.' },
  E_HUB_CERTIFICATE: { classes: ['HubError'],
    meaning: 'The certificate of the hub is not trusted.', remedy: 'Let NODE_EXTRA_CA_CERTS name the certificate of your proxy.' },
  E_HUB_DENIED: { classes: ['HubError'],
    meaning: 'The hub does not give a model to this user: it is gated, private or does not exist.', remedy: 'Ask for access, and give a token (HF_TOKEN).' },
  E_HUB_NOT_FOUND: { classes: ['HubError'],
    meaning: 'The hub has no such repository, revision or file, or not the files of a model in it.', remedy: 'Check the name, the revision and the names of the files.' },
  E_HUB_BUSY: { classes: ['HubError'],
    meaning: 'The hub is busy or failing.', remedy: 'Wait and run it again.' },
  E_HUB_ANSWER: { classes: ['HubError'],
    meaning: 'What answers in place of the hub does not answer as one.', remedy: 'Check HF_ENDPOINT, and whether a login page of the network is in the way.' },
  E_HUB_INTERRUPTED: { classes: ['HubError'],
    meaning: 'A download ended early or contradicts its own length.', remedy: 'Run it again: it resumes.' },
  E_HUB_CHECKSUM: { classes: ['HubError'],
    meaning: 'A downloaded file has the wrong checksum, or none by which to verify it.', remedy: 'Run it again; if it stays so, use another HF_ENDPOINT.' },

  // Object stores
  E_STORE_ADDRESS: { classes: ['UsageError'],
    meaning: 'An address is not that of an object or folder in a store.', remedy: 'Write it as s3://bucket/key or s3://bucket/folder/.' },
  E_STORE_SETTINGS: { classes: ['StoreError'],
    meaning: 'It is not configured which store an s3:// address belongs to, or the package that reads it is not installed.', remedy: 'Set AWS_ENDPOINT_URL_S3, or AWS_REGION for Amazon S3; install @aws-sdk/client-s3.' },
  E_STORE_DENIED: { classes: ['DataError', 'StoreError'],
    meaning: 'A store does not let these credentials read something, or there are none.', remedy: 'Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; ask for s3:GetObject and s3:ListBucket.' },
  E_STORE_NOT_FOUND: { classes: ['DataError', 'StoreError'],
    meaning: 'A store has no such bucket or object.', remedy: 'Check the name, and which store is configured.' },
  E_STORE_UNREACHABLE: { classes: ['StoreError'],
    meaning: 'A store does not answer, also after several attempts.', remedy: 'Check the address and the network; then run it again.' },
  E_STORE_ANSWER: { classes: ['DataError'],
    meaning: 'A store answered with an error, or sent less than it announced or something else.', remedy: 'Check that the address is that of an S3-compatible store; then run it again.' },

  // Computing
  E_BACKEND_UNAVAILABLE: { classes: ['RuntimeError'],
    meaning: 'What computes did not start.', remedy: 'Install what is missing, or choose another backend.' },
  E_BACKEND_NEEDED: { classes: ['RuntimeError'],
    meaning: 'Something needs the native TensorFlow backend, and another one is in use.', remedy: 'Install native TensorFlow and choose it.' },
  E_BACKEND_FAILED: { classes: ['RuntimeError'],
    meaning: 'An operation failed in the backend.', remedy: 'Try another backend, and report it.' },
  E_OUT_OF_MEMORY: { classes: ['RuntimeError'],
    meaning: 'The memory of the machine or of the GPU does not suffice.', remedy: 'Take smaller batches or images.' },
  E_DEVICE_LOST: { classes: ['RuntimeError'],
    meaning: 'The GPU or its driver went away.', remedy: 'Start again; if it comes back, take another backend.' },
  E_SYNC_READ: { classes: ['RuntimeError'],
    meaning: 'The backend cannot read values synchronously.', remedy: 'Take await tensor.data() in place of dataSync().' },
  E_SHAPE: { classes: ['DataError', 'SonogroundError'],
    meaning: 'A tensor, image or list does not have the shape or length that it must have.', remedy: 'Give it the shape that the message names.' },
  E_NOT_READY: { classes: ['RuntimeError'],
    meaning: 'A predictor is used before it was given an image, or after it was disposed.', remedy: 'Call setImage first, or load the model again.' },

  // Training
  E_PREFLIGHT: { classes: ['ConfigError'],
    meaning: 'Layers that should be trained get no gradient, or one that is not finite.', remedy: 'Take them out of the layers to train.' },
  E_LOSS_NOT_FINITE: { classes: ['SonogroundError'],
    meaning: 'Training diverged: an output, a loss or a gradient is NaN or infinite.', remedy: 'Lower the learning rate, or look at the images that the message names.' },
  E_TRAINING_STOPPED: { classes: ['TrainingStopped'],
    meaning: 'Training was asked to stop, and has written a checkpoint.', remedy: 'Resume it.' },
  E_MPI_UNAVAILABLE: { classes: ['RuntimeError'],
    meaning: 'Several processes were started together, but MPI does not connect them.', remedy: 'Install an MPI with mpicc, run the set-up again, and use the launcher of the same MPI.' },
  E_RANKS_COMMAND: { classes: ['UsageError'],
    meaning: 'A command that works as one process was started as several by an MPI launcher.', remedy: 'Start it once; divide the images among processes by shards.' },
  E_RANKS_DIFFER: { classes: ['ConfigError', 'DataError', 'RuntimeError'],
    meaning: 'The ranks of a run see different settings, data, models or software.', remedy: 'Give all ranks the same files and the same installation.' },
  E_RANK_FAILED: { classes: ['RuntimeError'],
    meaning: 'One rank of a run failed in a way that was not expected, which ended the others.', remedy: 'Look at its message; the run can be resumed.' },
  E_CHECKPOINT_DAMAGED: { classes: ['CheckpointError'],
    meaning: 'A checkpoint of a run is damaged, or none of them is intact.', remedy: 'Use an earlier checkpoint, or start again.' },
  E_RUN_UNUSABLE: { classes: ['UsageError'],
    meaning: 'A folder is not that of a run with one trained model.', remedy: 'Name the folder of a run or of a fold, and train it first.' },

  // Results
  E_RESULTS_DAMAGED: { classes: ['DataError'],
    meaning: 'A file of results is damaged, or another version or program wrote it.', remedy: 'Move it away, then run the command again.' },
  E_RESULTS_MISMATCH: { classes: ['DataError', 'UsageError'],
    meaning: 'Results that are merged were made with other settings, models or images.', remedy: 'Merge what belongs together.' },
  E_RESULTS_INCOMPLETE: { classes: ['UsageError'],
    meaning: 'Parts of results that are merged are missing.', remedy: 'Run them, or allow an incomplete merge.' },

  // Exported models
  E_EXPORT_DAMAGED: { classes: ['CheckpointError', 'RuntimeError'],
    meaning: 'An exported model is damaged, or was exported by another version.', remedy: 'Export it again.' },
  E_EXPORT_CANNOT: { classes: ['CheckpointError', 'UsageError'],
    meaning: 'An exported model is of a form that does not do what is asked of it.', remedy: 'Export it again as the message says, or ask the model itself.' },
  E_GRAPH_UNRECORDABLE: { classes: ['RuntimeError', 'SonogroundError'],
    meaning: 'A function cannot be recorded as one graph, for these sizes or for any.', remedy: 'Run it operation by operation, or for a fixed size.' },
  E_GRAPH_TOO_LARGE: { classes: ['CheckpointError'],
    meaning: 'A graph is larger than TensorFlow reads.', remedy: 'Choose a smaller image size, or another format.' },
  E_PAGE_NOT_BUILT: { classes: ['RuntimeError'],
    meaning: 'The web page was not built when the package was.', remedy: 'Install the optional packages and build it.' },
  E_PAGE_SERVER: { classes: ['CheckpointError'],
    meaning: 'The web server that serves the page and its model does not give a file.', remedy: 'Load the page again.' },

  // The server
  E_SERVER_ADDRESS: { classes: ['RuntimeError'],
    meaning: 'The server cannot listen at its address.', remedy: 'Choose another port or host.' },
  E_HTTP_TOKEN: { classes: ['HttpError'],
    meaning: 'A request has no token, or not the right one.', remedy: 'Send the header "Authorization: Bearer TOKEN".' },
  E_HTTP_FORBIDDEN: { classes: ['HttpError'],
    meaning: 'A request calls the server by a name that it does not have, or comes from a page of another server.', remedy: 'Use the address and the page of this server, or allow the name when it starts.' },
  E_HTTP_PATH: { classes: ['HttpError'],
    meaning: 'The server has nothing at that path.', remedy: 'See /openapi.json.' },
  E_HTTP_METHOD: { classes: ['HttpError'],
    meaning: 'A path does not take that method.', remedy: 'Use one of the header Allow.' },
  E_HTTP_MEDIA_TYPE: { classes: ['HttpError'],
    meaning: 'A body is of a type or packing that is not read.', remedy: 'Send application/json or multipart/form-data, as it is.' },
  E_HTTP_REQUEST: { classes: ['HttpError'],
    meaning: 'A request or its body cannot be understood.', remedy: 'See /openapi.json, and send it again.' },
  E_HTTP_FIELD: { classes: ['HttpError'],
    meaning: 'A field of a request is missing, unknown or has a value that it may not have.', remedy: 'See /openapi.json.' },
  E_HTTP_TOO_LARGE: { classes: ['HttpError'],
    meaning: 'A body is larger, or has more parts, than is taken.', remedy: 'Make it smaller, or raise the limit when the server starts.' },
  E_HTTP_SLOW: { classes: ['HttpError'],
    meaning: 'A body arrives too slowly.', remedy: 'Send it over a faster connection, or make it smaller.' },
  E_HTTP_IMAGE_GONE: { classes: ['HttpError'],
    meaning: 'An image that a request refers to is no longer kept.', remedy: 'Send the image again.' },
  E_HTTP_BUSY: { classes: ['HttpError'],
    meaning: 'Too many requests are before this one, or the server is going down.', remedy: 'Try again later, where there is a header Retry-After after as many seconds.' },
  E_HTTP_TIMEOUT: { classes: ['HttpError'],
    meaning: 'An answer took longer than a request may.', remedy: 'Send a smaller image, or raise the limit when the server starts.' },
  E_HTTP_SENDER_LEFT: { classes: ['HttpError'],
    meaning: 'The sender of a request has left.', remedy: 'Nothing: nobody reads the answer.' },
  E_HTTP_FAILED: { classes: ['HttpError'],
    meaning: 'Something went wrong in the server that the request is not to blame for.', remedy: 'Look into the log of the server.' },
} as const satisfies Readonly<Record<`E_${string}`, CodeEntry>>;

/** What went wrong, for programs: the same whatever the message says. */
export type ErrorCode = keyof typeof errorCodes;

/** The codes with which a class of errors is thrown. */
export type CodeOf<Class extends ErrorClass> = {
  [Code in ErrorCode]: Class extends (typeof errorCodes)[Code]['classes'][number] ? Code : never;
}[ErrorCode];
