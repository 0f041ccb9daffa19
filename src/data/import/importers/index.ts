import type { Importer } from '../types.js';
import { aul } from './aul.js';
import { breast } from './breast.js';
import { buid } from './buid.js';
import { busb } from './busb.js';
import { busbra } from './busbra.js';
import { busi } from './busi.js';
import { busuc } from './busuc.js';
import { busuclm } from './busuclm.js';
import { cca } from './cca.js';
import { coco } from './coco.js';
import { ddtiXml } from './ddti-xml.js';
import { folders } from './folders.js';
import { hc18 } from './hc18.js';
import { kidneyus } from './kidneyus.js';
import { luminous } from './luminous.js';
import { microseg } from './microseg.js';
import { mmotu } from './mmotu.js';
import { nifti } from './nifti.js';
import { paperCsv } from './paper-csv.js';
import { regpro } from './regpro.js';
import { s1 } from './s1.js';
import { stu } from './stu.js';
import { tg3k } from './tg3k.js';
import { tn3k } from './tn3k.js';
import { tnscui } from './tnscui.js';
import { us105 } from './us105.js';
import { usgraSeg } from './usgra-seg.js';

/** The paper's datasets in the order of its table, the unseen three, other published ones, and general layouts. */
export const importers: readonly Importer[] = [
  breast,
  buid,
  busuc,
  busuclm,
  busb,
  busi,
  stu,
  s1,
  tn3k,
  tg3k,
  us105,
  aul,
  microseg,
  regpro,
  kidneyus,
  busbra,
  tnscui,
  luminous,
  hc18,
  cca,
  usgraSeg,
  ddtiXml,
  mmotu,
  coco,
  paperCsv,
  folders,
  nifti,
];
