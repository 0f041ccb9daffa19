/** Hides TensorFlow's startup messages from the terminal; errors are still shown. */

/** Silences messages that respect TensorFlow's log level. */
export function quietTensorflow() {
  process.env.TF_CPP_MIN_LOG_LEVEL ??= '2';
}

/** Messages written before the log level takes effect. */
const BANNER = [
  /^WARNING: All log messages before absl::InitializeLog\(\)/,
  /^[IW]\d{4} .*(port|cpu_feature_guard)\.cc:\d+\]/,
  /^To enable the following instructions: /,
];

/** Copies the lines of one stream to another, except the banner, until the stream ends. */
export async function passWithoutBanner(from, to) {
  let rest = '';
  for await (const chunk of from.setEncoding('utf8')) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop();
    to.write(
      lines
        .filter((line) => !isBanner(line))
        .map((line) => `${line}\n`)
        .join(''),
    );
  }
  if (rest !== '') to.write(rest);
}

function isBanner(line) {
  return BANNER.some((pattern) => pattern.test(line));
}
