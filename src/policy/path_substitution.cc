#include "hangu/policy/path_substitution.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace hangu::policy {
namespace {

/// What may stand in a path or query as it is (RFC 3986 §3.3, §3.4).
bool is_path_char(char c) noexcept {
  return c > 0x20 && c < 0x7f && std::string_view("\"#<>\\^`{|}").find(c) == std::string_view::npos;
}

}  // namespace

Result<PathSubstitution, std::string> PathSubstitution::compile(std::string_view regex,
                                                                std::string_view substitution) {
  auto pattern = Pattern::compile(regex);
  if (!pattern) {
    return Failure<std::string>{pattern.error()};
  }
  std::vector<Piece> pieces(1);
  for (size_t i = 0; i < substitution.size(); ++i) {
    const char c = substitution[i];
    if (c != '\\') {
      if (!is_path_char(c)) {
        return Failure<std::string>{"a character that cannot stand in a path or query"};
      }
      pieces.back().text += c;
      continue;
    }
    const char next = i + 1 < substitution.size() ? substitution[++i] : '\0';
    if (next < '0' || next > '9') {
      return Failure<std::string>{"after `\\` stands the number of a group, 0 … 9"};
    }
    const int part = next - '0';
    if (static_cast<size_t>(part) > pattern->groups().size()) {
      return Failure<std::string>{
          fmt::format("`\\{}`: the expression has {} groups", part, pattern->groups().size())};
    }
    pieces.push_back({.text = {}, .part = part});
    pieces.emplace_back();
  }
  std::erase_if(pieces, [](const Piece& piece) { return piece.part < 0 && piece.text.empty(); });
  return PathSubstitution(std::move(*pattern), std::move(pieces));
}

bool PathSubstitution::find(std::string_view path, Parts& parts) const noexcept {
  const size_t wanted = std::min(pattern_.groups().size() + 1, parts.size());
  return pattern_.find(path, std::span(parts).first(wanted));
}

size_t PathSubstitution::bytes_max(std::string_view path, const Parts& parts) const noexcept {
  size_t bytes = path.size() + 1;
  for (const Piece& piece : pieces_) {
    bytes += piece.part < 0 ? piece.text.size() : parts[static_cast<size_t>(piece.part)].size();
  }
  return bytes;
}

char* PathSubstitution::write(std::string_view path, const Parts& parts, char* to) const noexcept {
  char* const begin = to;
  const auto append = [&](std::string_view text) {
    if (to == begin && !text.empty() && text.front() != '/') {
      *to++ = '/';
    }
    to = std::copy(text.begin(), text.end(), to);
  };
  const auto before = static_cast<size_t>(parts[0].data() - path.data());
  append(path.substr(0, before));
  for (const Piece& piece : pieces_) {
    append(piece.part < 0 ? std::string_view(piece.text) : parts[static_cast<size_t>(piece.part)]);
  }
  append(path.substr(before + parts[0].size()));
  if (to == begin) {
    *to++ = '/';
  }
  return to;
}

}  // namespace hangu::policy
