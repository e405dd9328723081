/** The file cannot be used, for a reason that lies with whoever named it, or with another process that has it. */
export class Unusable extends Error {}
