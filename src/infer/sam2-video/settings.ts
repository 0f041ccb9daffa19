/** Settings of a tracker that are not its model's. */
export interface TrackerSettings {
  /** Most marked frames that a frame is compared with, where the model's configuration does not say. */
  readonly mostPromptedFrames: number;
  /** Largest hole in an answer's mask that is filled, in pixels of the model's masks. */
  readonly holes: number;
  /** Whether masks of several objects may overlap. */
  readonly overlap: boolean;
}

export const trackerDefaults: TrackerSettings = { mostPromptedFrames: 8, holes: 0, overlap: true };
