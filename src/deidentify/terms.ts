/** Defined terms that are kept: any other text in such a field is removed, as it might be anything. */

/** ImageType, values 1 to 3: PS3.3, C.8.5.6.1.1; 3 with what scanners also write. */
export const IMAGE_TYPE = [
  ['ORIGINAL', 'DERIVED'],
  ['PRIMARY', 'SECONDARY'],
  [
    'ABDOMINAL',
    'BREAST',
    'CHEST',
    'ENDOCAVITARY',
    'ENDORECTAL',
    'ENDOVAGINAL',
    'EPICARDIAL',
    'FETAL HEART',
    'GYNECOLOGY',
    'INTRACARDIAC',
    'INTRAOPERATIVE',
    'INTRAVASCULAR',
    'MUSCULOSKELETAL',
    'NEONATAL HEAD',
    'OBSTETRICAL',
    'OPHTHALMOLOGY',
    'PEDIATRIC',
    'PELVIC',
    'RETROPERITONEAL',
    'SCROTAL',
    'SMALL PARTS',
    'TEE',
    'TCD',
    'THYROID',
    'TRANSCRANIAL',
    'TTE',
    'VASCULAR',
  ],
] as const;

/** Body Part Examined: terms of PS3.16, annex L, that are scanned with ultrasound. */
export const BODY_PARTS = (
  'ABDOMEN ADRENAL ANKLE AORTA APPENDIX ARM AXILLA BILEDUCT BLADDER BRAIN BREAST CAROTID CHEST COLON ELBOW EYE EXTREMITY FETUS FINGER FOOT ' +
  'GALLBLADDER GROIN HAND HEAD HEART HIP JOINT KIDNEY KNEE LEG LIVER LUNG LYMPHNODE MUSCLE NECK OVARY PANCREAS PAROTID PELVIS PENIS PLACENTA ' +
  'PROSTATE RECTUM RENALARTERY SCROTUM SHOULDER SPLEEN STOMACH TENDON TESTIS THIGH THYROID TOE UTERUS VAGINA VEIN WRIST'
).split(' ');

/** Transducer Type: PS3.3, C.8.5.6. */
export const TRANSDUCERS = [
  'SECTOR_PHASED',
  'SECTOR_MECH',
  'SECTOR_ANNULAR',
  'LINEAR',
  'CURVED LINEAR',
  'CURVED_LINEAR',
  'SINGLE CRYSTAL',
  'SINGLE_CRYSTAL',
  'SPLIT XTAL CWD',
  'SPLIT_XTAL_CWD',
  'IV_PHASED',
  'IV_ROT XTAL',
  'IV_ROT MIRROR',
  'ENDOCAV_PA',
  'ENDOCAV_MECH',
  'ENDOCAV_CLA',
  'ENDOCAV_AA',
  'ENDOCAV_LINEAR',
  'VECTOR_PHASED',
  'MATRIX',
];

export const MODALITIES = ['US', 'IVUS', 'OT', 'ES', 'XC'];

/** Makers of scanners. The field is free text, so a name of this list is written, never the text itself. */
const MANUFACTURERS: readonly (readonly [found: RegExp, name: string])[] = [
  [/\bphilips\b|\batl\b|\badr\b/i, 'Philips'],
  [/\bge\b|\bg\.e\.|general electric|\bkretz/i, 'GE'],
  [/\bsiemens\b|\bacuson\b/i, 'Siemens'],
  [/\bsamsung\b|\bmedison\b/i, 'Samsung'],
  [/\bcanon\b|\btoshiba\b/i, 'Canon'],
  [/\bfuji|\bsono ?site\b|\bhitachi\b|\baloka\b/i, 'Fujifilm'],
  [/\bmindray\b|\bzonare\b/i, 'Mindray'],
  [/\besaote\b/i, 'Esaote'],
  [/\bsupersonic\b|\bhologic\b/i, 'Hologic'],
  [/\bbk[ -]?(medical|ultrasound)\b/i, 'BK Medical'],
  [/\bterason\b/i, 'Terason'],
  [/\bbutterfly\b/i, 'Butterfly'],
  [/\bclarius\b/i, 'Clarius'],
  [/\bsonoscape\b/i, 'SonoScape'],
  [/\bultrasonix\b/i, 'Ultrasonix'],
];

/** The maker that a text names; empty if none is known. */
export function manufacturer(text: string | undefined): string {
  return MANUFACTURERS.find(([found]) => found.test(text ?? ''))?.[1] ?? '';
}
