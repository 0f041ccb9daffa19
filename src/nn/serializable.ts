import type { tf } from '../backend/index.js';

/** A shape; null for a dimension that is not known before a tensor comes. */
export type Shape = (number | null)[];
/** A layer's settings. */
export type ConfigDict = tf.serialization.ConfigDict;
/** A layer that `tf.serialization` can write and read. */
export type Serializable = tf.serialization.Serializable;
/** The constructor of a layer that `tf.serialization` can make from a config. */
export type SerializableClass<T extends Serializable> = tf.serialization.SerializableConstructor<T>;
