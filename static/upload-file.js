// What can be seen of a file before any of it is sent: what kind it is, which image is in it, and a mark to know it by.
// It reads a few pieces of the file, never all of it.

const BLOCK = 512;
const MOST_MEMBERS = 400; // more than any image has; the walk ends there without a verdict
const LARGEST_JSON = 1 << 20; // bytes
const SAMPLE = 4096;
const SAMPLES = 16;
const EDGE = 65536;

const BEGINNINGS = [
  ["gzip", [0x1f, 0x8b]],
  ["xz", [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
  ["zstd", [0x28, 0xb5, 0x2f, 0xfd]],
  ["zip", [0x50, 0x4b, 0x03, 0x04]],
  ["zip", [0x50, 0x4b, 0x05, 0x06]],
  ["program", [0x4d, 0x5a]],
  ["program", [0x7f, 0x45, 0x4c, 0x46]],
  ["document", [0x25, 0x50, 0x44, 0x46]],
  ["document", [0xd0, 0xcf, 0x11, 0xe0]],
  ["packed", [0x42, 0x5a, 0x68]],
  ["packed", [0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c]],
  ["packed", [0x52, 0x61, 0x72, 0x21]],
  ["packed", [0x04, 0x22, 0x4d, 0x18]],
];
const DOCUMENTS = /\.(docx|xlsx|pptx|odt|ods|odp)$/i; // they are zip files inside
const GOOD = new Set(["tar", "gzip", "xz", "zstd"]);

const bytes = async (file, from, size) => new Uint8Array(await file.slice(from, from + size).arrayBuffer());
const letters = (block, from, size) => {
  const field = block.subarray(from, from + size);
  const end = field.indexOf(0);
  return new TextDecoder().decode(end < 0 ? field : field.subarray(0, end));
};

// The member that a tar header tells of; "end" for a block of zeros, null for what is no header.
function member(block) {
  if (block.length < BLOCK) return null;
  if (block.every((byte) => byte === 0)) return "end";
  const sum = block.reduce((total, byte, at) => total + (at >= 148 && at < 156 ? 0x20 : byte), 0);
  const [said, size] = [letters(block, 148, 8), letters(block, 124, 12)].map((field) => field.trim());
  if (!/^[0-7]+$/.test(said) || parseInt(said, 8) !== sum || !/^[0-7]+$/.test(size)) return null;
  return { name: letters(block, 0, 100).replace(/^\.\//, ""), size: parseInt(size, 8) };
}

const nameIn = {
  "manifest.json": (json) => json[0].RepoTags[0],
  "index.json": (json) => {
    const notes = json.manifests[0].annotations;
    return notes["io.containerd.image.name"] ?? notes["org.opencontainers.image.ref.name"];
  },
};

// From header to header of a plain tar file. `ending`: found, end, cut (it ends within a member), damaged, or long.
async function walk(file) {
  const seen = { name: "", isImage: false, ending: "long" };
  for (let at = 0, members = 0; members < MOST_MEMBERS; members += 1) {
    if (at + BLOCK > file.size) return { ...seen, ending: "cut" };
    const found = member(await bytes(file, at, BLOCK));
    if (found === "end") return { ...seen, ending: "end" };
    if (found === null) return { ...seen, ending: "damaged" };
    if (at + BLOCK + found.size > file.size) return { ...seen, ending: "cut" };
    if (Object.hasOwn(nameIn, found.name) && found.size <= LARGEST_JSON) {
      seen.isImage = true;
      try {
        const json = JSON.parse(new TextDecoder().decode(await bytes(file, at + BLOCK, found.size)));
        seen.name = String(nameIn[found.name](json) ?? seen.name).slice(0, 120);
      } catch { /* the server says what is wrong with it */ }
      if (found.name === "manifest.json") return { ...seen, ending: "found" };
    }
    at += BLOCK + Math.ceil(found.size / BLOCK) * BLOCK;
  }
  return seen;
}

function kindOf(file, head) {
  const [kind] = BEGINNINGS.find(([, beginning]) => beginning.every((byte, at) => head[at] === byte)) ?? [null];
  if (kind === "zip" && DOCUMENTS.test(file.name)) return "document";
  return kind ?? (typeof member(head) === "object" && member(head) ? "tar" : "other");
}

// What speaks against sending it; `isCertain` when the server could only refuse it.
async function lookInto(file, limits) {
  if (!file.size) return { kind: "empty", wrong: "empty", isCertain: true };
  const kind = kindOf(file, await bytes(file, 0, BLOCK));
  if (file.size > limits.largest) return { kind, wrong: "large", isCertain: true };
  if (!GOOD.has(kind)) return { kind, wrong: kind, isCertain: true };
  if (kind !== "tar") return { kind };
  const { name, isImage, ending } = await walk(file);
  if (ending === "cut" || ending === "damaged") return { kind, name, wrong: "damaged", isCertain: false };
  if (ending === "end" && !isImage) return { kind, wrong: "imageless", isCertain: true };
  const repository = name.replace(/:[^:/]*$/, "").replace(/^.*\//, "");
  if (name && repository !== limits.repository) return { kind, name, wrong: "another", isCertain: false };
  return { kind, name };
}

// FNV-1a, twice with different beginnings. It is to tell two files of one person apart, not to withstand anybody.
function digest(pieces) {
  return [0x811c9dc5, 0x050c5d1f].map((basis) => {
    let hash = basis;
    for (const piece of pieces) for (const byte of piece) hash = Math.imul(hash ^ byte, 0x01000193);
    return (hash >>> 0).toString(16).padStart(8, "0");
  }).join("");
}

async function markOf(file) {
  const pieces = [new TextEncoder().encode(file.name), await bytes(file, 0, EDGE)];
  for (let sample = 1; sample <= SAMPLES; sample += 1) {
    pieces.push(await bytes(file, Math.floor((file.size * sample) / (SAMPLES + 1)), SAMPLE));
  }
  pieces.push(await bytes(file, Math.max(0, file.size - EDGE), EDGE));
  return `1-${file.size.toString(36)}-${file.lastModified.toString(36)}-${digest(pieces)}`;
}

// All that is to be known of a file before it is sent.
export async function look(file, limits) {
  try {
    return { ...await lookInto(file, limits), mark: await markOf(file) };
  } catch {
    return { kind: "other", wrong: "unreadable", isCertain: true };
  }
}
