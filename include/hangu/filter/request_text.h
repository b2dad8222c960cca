// RequestText: a text with variables of the request (config/text_template.h), compiled. Immutable,
// any thread; what it makes lies in the stream's arena.
#pragma once

#include <string_view>
#include <vector>

#include "hangu/config/text_template.h"
#include "hangu/http/header_name.h"

namespace hangu::filter {

class Stream;

class RequestText {
 public:
  explicit RequestText(const config::TextTemplate& text);

  /// Fit to be a field value: no control characters, no blanks at its ends, at most kBytesMax.
  std::string_view of(Stream& stream) const noexcept;

  static constexpr size_t kBytesMax = 16 * 1024;

 private:
  struct Piece {
    config::Variable variable;
    http::HeaderName token;
    std::string text;
  };

  static std::string_view value_of(const Piece& piece, Stream& stream) noexcept;

  std::vector<Piece> pieces_;
  bool plain_ = true;  // one piece of text, or none
};

}  // namespace hangu::filter
