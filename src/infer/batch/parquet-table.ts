import type { FileHandle } from 'node:fs/promises';
import type { ByteWriter, ParquetWriter } from 'hyparquet-writer';

/** The type of a column's values; with `?`, a row may lack one. */
export type Column = 'STRING' | 'INT32' | 'DOUBLE' | 'STRING?' | 'INT32?' | 'DOUBLE?';

type Value<C extends Column> = C extends `${infer Plain}?`
  ? Value<Plain & Column> | undefined
  : C extends 'STRING'
    ? string
    : number;

type Row<Columns extends Record<string, Column>> = { readonly [Name in keyof Columns]: Value<Columns[Name]> };

/** Rows that are compressed together, and kept in memory until then. */
const GROUP = 20_000;

/** Writes a table of Parquet to an open file, a group of rows at a time. */
export class ParquetTable<Columns extends Record<string, Column>> {
  private rows: Row<Columns>[] = [];

  private constructor(
    private readonly file: FileHandle,
    private readonly columns: Columns,
    private readonly bytes: ByteWriter,
    private readonly writer: ParquetWriter,
  ) {}

  static async begin<Columns extends Record<string, Column>>(file: FileHandle, columns: Columns): Promise<ParquetTable<Columns>> {
    // Loaded here, as other batches do not need it.
    const { ByteWriter, ParquetWriter } = await import('hyparquet-writer');
    const bytes = new ByteWriter();
    const names = Object.entries(columns);
    const schema = [{ name: 'root', num_children: names.length }, ...names.map(([name, type]) => elementOf(name, type))];
    return new ParquetTable(file, columns, bytes, new ParquetWriter({ writer: bytes, schema, createdBy: 'sonoground' }));
  }

  async add(row: Row<Columns>): Promise<void> {
    this.rows.push(row);
    if (this.rows.length >= GROUP) await this.flush();
  }

  /** Writes the remaining rows and the table's directory; closing the file is left to the caller. */
  async end(): Promise<void> {
    if (this.rows.length > 0) await this.flush();
    await this.writer.finish();
    await this.drain();
  }

  private async flush(): Promise<void> {
    const columnData = Object.keys(this.columns).map((name) => ({ name, data: this.rows.map((row) => row[name] ?? null) }));
    this.rows = [];
    await this.writer.write({ columnData, rowGroupSize: GROUP });
    await this.drain();
  }

  /** The writer's offset goes on counting. */
  private async drain(): Promise<void> {
    await this.file.writeFile(this.bytes.getBytes());
    this.bytes.index = 0;
  }
}

function elementOf(name: string, column: Column) {
  const type = column.replace('?', '') as 'STRING' | 'INT32' | 'DOUBLE';
  const repetition_type = column.endsWith('?') ? ('OPTIONAL' as const) : ('REQUIRED' as const);
  return type === 'STRING'
    ? { name, repetition_type, type: 'BYTE_ARRAY' as const, converted_type: 'UTF8' as const }
    : { name, repetition_type, type };
}
