// Growable typed-array columns: append-only, doubled on demand, no boxing.

/** Appendable float64 column. `data` may be longer than `length`; use `view()` for exactly the values. */
export class Float64Growable {
  data: Float64Array = new Float64Array(256);
  length = 0;
  push(value: number): void {
    if (this.length === this.data.length) {
      const next = new Float64Array(this.length * 2);
      next.set(this.data);
      this.data = next;
    }
    this.data[this.length++] = value;
  }
  view(): Float64Array {
    return this.data.subarray(0, this.length);
  }
}

/** Appendable int32 column; as Float64Growable. */
export class Int32Growable {
  data: Int32Array = new Int32Array(256);
  length = 0;
  push(value: number): void {
    if (this.length === this.data.length) {
      const next = new Int32Array(this.length * 2);
      next.set(this.data);
      this.data = next;
    }
    this.data[this.length++] = value;
  }
  view(): Int32Array {
    return this.data.subarray(0, this.length);
  }
}
