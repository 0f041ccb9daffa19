import { tf } from '../../backend/index.js';

/**
 * Contributions of the row distance and of the column distance to the scores of each query.
 *
 * @param query - [n, heads, size * size, d] f32, tokens row by row.
 * @param rows - [2 * size - 1, d] f32: a vector for each distance from -(size - 1) to size - 1, query minus key.
 * @param columns - likewise.
 * @returns [n, heads, size * size, 2 * size] f32: first for each row of keys, then for each column.
 * @see Li et al. 2022, MViTv2, section 4.1, "Decomposed relative position embedding"
 */
export function relativeScores(query: tf.Tensor4D, rows: tf.Tensor, columns: tf.Tensor, size: number): tf.Tensor4D {
  const [n, heads, area, d] = query.shape;
  const many = n * heads;
  const tokens = tf.reshape(query, [many, size, size, d]) as tf.Tensor4D; // [n * heads, row, column, d]
  const byRow = tf.reshape(tf.transpose(tokens, [1, 0, 2, 3]), [size, many * size, d]) as tf.Tensor3D;
  const byColumn = tf.reshape(tf.transpose(tokens, [2, 0, 1, 3]), [size, many * size, d]) as tf.Tensor3D;
  const toRows = tf.matMul(byRow, pairs(rows, size), false, true); // [row, n * heads * column, key's row]
  const toColumns = tf.matMul(byColumn, pairs(columns, size), false, true); // [column, n * heads * row, key's column]
  const inRows = tf.transpose(tf.reshape(toRows, [size, many, size, size]), [1, 0, 2, 3]);
  const inColumns = tf.transpose(tf.reshape(toColumns, [size, many, size, size]), [1, 2, 0, 3]);
  return tf.reshape(tf.concat([inRows, inColumns], -1), [n, heads, area, 2 * size]);
}

/** The vector of each query-key pair along one axis: [2 * size - 1, d] to [size, size, d]. */
function pairs(table: tf.Tensor, size: number): tf.Tensor3D {
  const distances = Int32Array.from({ length: size * size }, (_, i) => Math.floor(i / size) - (i % size) + size - 1);
  const gathered = tf.gather(table, tf.tensor1d(distances, 'int32'));
  return tf.reshape(gathered, [size, size, -1]);
}

/** One-hot row and one-hot column of each token in a window, [size * size, 2 * size]. */
export function placesOfTokens(size: number): tf.Tensor2D {
  const values = new Float32Array(size * size * 2 * size);
  for (let token = 0; token < size * size; token++) {
    values[token * 2 * size + Math.floor(token / size)] = 1;
    values[token * 2 * size + size + (token % size)] = 1;
  }
  return tf.tensor2d(values, [size * size, 2 * size]);
}
