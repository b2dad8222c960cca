// The path of a request target in one canonical form (RFC 3986 §6.2.2), so that routing, policies
// and the upstream all see the same. Pure; the result lies in the input or in the arena.
#pragma once

#include <cstdint>
#include <string_view>

#include "hangu/base/result.h"
#include "hangu/buffer/arena.h"

namespace hangu::http {

enum class EncodedSlash : uint8_t {
  kReject,
  kKeep,  // "%2F" and "%5C" stay as they are, one segment
};

struct PathOptions {
  bool merge_slashes = true;
  EncodedSlash encoded_slash = EncodedSlash::kReject;
};

/// `path` begins with '/' and has no query, or is "*". Decodes what needs no encoding, encodes what
/// does, resolves "." and "..", merges slashes. Errors (kBadPath): a bad or NUL or control
/// %-escape, a backslash, '#', control bytes, ".." above the root, an encoded slash under kReject,
/// and dot segments that some servers resolve and others do not: with parameters ("..;x",
/// "..%3Bx"), or next to an encoded slash ("..%2Fx"). A path in canonical form is returned as it
/// is, without a copy but for rare escapes.
Result<std::string_view> normalise_path(std::string_view path, buffer::Arena& arena,
                                        const PathOptions& options = {});

}  // namespace hangu::http
