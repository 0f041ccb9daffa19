/** Keeps TensorFlow's start-up banner from the terminal; its errors still come through. */
export function quietTensorflow() {
  process.env.TF_CPP_MIN_LOG_LEVEL ??= '2';
}
