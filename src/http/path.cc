#include "hangu/http/path.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "hangu/base/parse.h"
#include "hangu/http/text.h"

namespace hangu::http {
namespace {

enum CharClass : uint8_t {
  kPlain,  // stands for itself, in the canonical form too
  kSlash,  // may begin a segment that has to go
  kPercent,
  kEncode,     // does not belong into a URI: percent-encoded in the canonical form
  kForbidden,  // control bytes, '#', '?' and the backslash
};

constexpr std::array<CharClass, 256> make_classes() {
  std::array<CharClass, 256> classes{};
  for (unsigned c = 0; c < 256; ++c) {
    classes[c] = c <= 0x20 || c == 0x7f ? kForbidden : detail::is_alnum(c) ? kPlain : kEncode;
  }
  // RFC 3986 §3.3 pchar, but for '%'.
  for (const char c :
       {'-', '.', '_', '~', '!', '$', '&', '\'', '(', ')', '*', '+', ',', ';', '=', ':', '@'}) {
    classes[static_cast<unsigned char>(c)] = kPlain;
  }
  classes['/'] = kSlash;
  classes['%'] = kPercent;
  classes['#'] = classes['?'] = classes['\\'] = kForbidden;
  return classes;
}

constexpr std::array<CharClass, 256> kClasses = make_classes();
constexpr char kHex[] = "0123456789ABCDEF";

constexpr CharClass class_of(char c) {
  return kClasses[static_cast<unsigned char>(c)];
}

constexpr bool is_unreserved(char c) {
  return is_alnum(c) || c == '-' || c == '.' || c == '_' || c == '~';
}

Failure<Error> bad_path(const char* detail) {
  return fail(downstream_error(Errc::kBadPath, detail));
}

/// An escape that stays: upper-case digits, of a byte that has no other spelling and is no slash.
bool is_canonical_escape(std::string_view path, size_t percent) {
  if (path.size() - percent < 3) {
    return false;
  }
  const char high = path[percent + 1];
  const char low = path[percent + 2];
  if (hex_digit_value(high) < 0 || hex_digit_value(low) < 0 || high >= 'a' || low >= 'a') {
    return false;
  }
  const int byte = hex_digit_value(high) << 4 | hex_digit_value(low);
  const auto decoded = static_cast<char>(byte);
  return byte >= 0x20 && byte != 0x7f && !is_unreserved(decoded) && decoded != '/' &&
         decoded != '\\';
}

/// Whether the segment at `begin` is "." or "..", or that with something behind it that resolve()
/// has to look at.
bool begins_dots(std::string_view path, size_t begin) {
  if (begin == path.size() || path[begin] != '.') {
    return false;
  }
  const size_t end = std::min(path.find_first_not_of('.', begin), path.size());
  return end - begin <= 2 &&
         (end == path.size() || path[end] == '/' || path[end] == ';' || path[end] == '%');
}

/// The first one from there on that is not plain, or the path's end.
size_t skip_plain(std::string_view path, size_t at) {
  while (at != path.size() && class_of(path[at]) == kPlain) {
    ++at;
  }
  return at;
}

/// Whether nothing has to change. False, too, for whatever the slow way will refuse.
bool is_canonical(std::string_view path, bool merge_slashes) {
  for (size_t i = skip_plain(path, 0); i != path.size(); i = skip_plain(path, i)) {
    switch (class_of(path[i])) {
      case kPlain: break;
      case kSlash:
        ++i;
        if (begins_dots(path, i) || (merge_slashes && i != path.size() && path[i] == '/')) {
          return false;
        }
        break;
      case kPercent:
        if (!is_canonical_escape(path, i)) {
          return false;
        }
        i += 3;
        break;
      case kEncode:
      case kForbidden: return false;
    }
  }
  return true;
}

char* write_encoded(char* to, char c) {
  const auto byte = static_cast<unsigned char>(c);
  *to++ = '%';
  *to++ = kHex[byte >> 4];
  *to++ = kHex[byte & 0x0f];
  return to;
}

/// Every character in its canonical spelling, at `out`, which has room for three times the path.
Result<std::string_view> recode(std::string_view path, char* out, EncodedSlash encoded_slash) {
  char* to = out;
  for (size_t i = 0; i < path.size(); ++i) {
    const char c = path[i];
    switch (class_of(c)) {
      case kPlain:
      case kSlash: *to++ = c; continue;
      case kEncode: to = write_encoded(to, c); continue;
      case kForbidden: return bad_path("control byte, backslash or '#' in the path");
      case kPercent: break;
    }
    const int high = i + 2 < path.size() ? hex_digit_value(path[i + 1]) : -1;
    const int low = i + 2 < path.size() ? hex_digit_value(path[i + 2]) : -1;
    if (high < 0 || low < 0) {
      return bad_path("bad %-escape in the path");
    }
    i += 2;
    const auto decoded = static_cast<char>(high << 4 | low);
    if (static_cast<unsigned char>(decoded) < 0x20 || decoded == 0x7f) {
      return bad_path("escaped control byte in the path");
    }
    if ((decoded == '/' || decoded == '\\') && encoded_slash == EncodedSlash::kReject) {
      return bad_path("escaped slash or backslash in the path");
    }
    if (is_unreserved(decoded)) {
      *to++ = decoded;
    } else {
      to = write_encoded(to, decoded);
    }
  }
  return std::string_view(out, static_cast<size_t>(to - out));
}

bool is_dots(std::string_view segment) {
  return segment == "." || segment == "..";
}

/// What some servers take for a dot segment and others do not: with parameters behind it (';',
/// escaped or not), or next to an escaped slash or backslash (which recode() has let pass).
bool is_doubtful(std::string_view segment) {
  for (size_t begin = 0; begin <= segment.size();) {
    const std::string_view rest = segment.substr(begin);
    const size_t end = std::min({rest.find("%2F"), rest.find("%5C"), rest.size()});
    const std::string_view part = rest.substr(0, end);
    if (is_dots(part.substr(0, std::min(part.find(';'), part.find("%3B"))))) {
      return true;
    }
    begin += end + 3;
  }
  return false;
}

/// Drops the last segment written, with its slash. Null above the root.
char* drop_segment(char* begin, char* to) {
  if (to == begin) {
    return nullptr;
  }
  do {
    --to;
  } while (*to != '/');
  return to;
}

/// Resolves "." and ".." and merges slashes, in place. Segments are written with the slash before
/// them.
Result<std::string_view> resolve(char* path, size_t size, bool merge_slashes) {
  char* to = path;
  const std::string_view whole(path, size);
  size_t begin = 1;
  while (begin <= size) {
    const size_t slash = whole.find('/', begin);
    const size_t end = slash == std::string_view::npos ? size : slash;
    const std::string_view segment = whole.substr(begin, end - begin);
    const bool last = end == size;
    begin = end + 1;
    if (is_dots(segment)) {
      to = segment.size() == 2 ? drop_segment(path, to) : to;
      if (to == nullptr) {
        return bad_path("the path leads above its root");
      }
      if (last) {
        *to++ = '/';
      }
      continue;
    }
    if (is_doubtful(segment)) {
      return bad_path("dots next to parameters or an escaped slash in the path");
    }
    if (segment.empty() && !last && merge_slashes) {
      continue;
    }
    *to++ = '/';
    std::memmove(to, segment.data(), segment.size());
    to += segment.size();
  }
  return std::string_view(path, static_cast<size_t>(to - path));
}

}  // namespace

Result<std::string_view> normalise_path(std::string_view path, buffer::Arena& arena,
                                        const PathOptions& options) {
  if (path == "*") {
    return path;
  }
  if (path.empty() || path.front() != '/') {
    return bad_path("the path does not begin with a slash");
  }
  if (is_canonical(path, options.merge_slashes)) {
    return path;
  }
  char* out = arena.allocate(path.size() * 3, 1);
  const auto recoded = recode(path, out, options.encoded_slash);
  if (!recoded) {
    return recoded;
  }
  return resolve(out, recoded->size(), options.merge_slashes);
}

}  // namespace hangu::http
