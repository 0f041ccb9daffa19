/**
 * Relative errors allowed against the reference, float32 on both sides: about ten times the largest that was measured over all
 * fixtures, for processors that sum in another order. What one more layer, a wrong epsilon or an approximation changes is more.
 */
export const TOLERANCE = {
  /** Backbones, text and image encoders; measured 3.9e-7. */
  encoder: 5e-6,
  /** Their gradients; measured 1.5e-6. */
  encoderGradient: 2e-5,
  /** Logits and boxes of a detector, and its layers; measured 1.2e-6. */
  detector: 1.5e-5,
  /** Its gradients; measured 8.7e-6. */
  detectorGradient: 1e-4,
  /** Masks and scores of SAM and SAM 2; measured 3.3e-6. */
  masker: 4e-5,
  /** Their gradients, those through a point's angles of many turns among them; measured 9.6e-5. */
  maskerGradient: 1e-3,
} as const;
