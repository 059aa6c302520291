/** A use of the runtime that this gateway does not have; its message is constant and safe to log. */
export class Misuse extends TypeError {
  override readonly name = 'Misuse'
}
