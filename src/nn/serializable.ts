import type { tf } from '../backend/index.js';

/** Short names for the types of `tf.layers`' interface. */
export type Shape = (number | null)[];
export type ConfigDict = tf.serialization.ConfigDict;
export type Serializable = tf.serialization.Serializable;
/** The constructor of a layer that `tf.serialization` can make from a config. */
export type SerializableClass<T extends Serializable> = tf.serialization.SerializableConstructor<T>;
