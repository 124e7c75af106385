// This holds the unpacking of what packing.py packed.

// The bytes that packing.octets packed.
async function unpackBytes(text) {
  const binary = atob(text);
  const packed = new Uint8Array(binary.length);
  for (let i = 0; i < packed.length; i++) packed[i] = binary.charCodeAt(i);
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

// The whole numbers that packing.numbers packed.
async function unpackNumbers(text, count) {
  const bytes = await unpackBytes(text);
  const numbers = new Float64Array(count);
  let position = 0;
  for (let i = 0; i < count; i++) {
    let byte = bytes[position++];
    let value = byte & 127;
    // Not by shifts, which are of 32 bits.
    for (let unit = 128; byte > 127; unit *= 128) {
      byte = bytes[position++];
      value += (byte & 127) * unit;
    }
    numbers[i] = value;
  }
  return numbers;
}
