// An example: reads request bodies piece by piece and refuses those in which one of `words` stands,
// wherever the pieces are cut, or which do not end with `ending`; it may mask a word in responses.
#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "hangu/plugin.hpp"

namespace {

using hangu::sdk::Config;
using hangu::sdk::Stream;
using hangu::sdk::Verdict;

constexpr size_t kWordBytesMax = 64;

class WordsPolicy {
 public:
  static constexpr const char* kName = "words";
  static constexpr const char* kVersion = "1.0.0";

  explicit WordsPolicy(Config& config)
      : words_(config.texts("words")),
        status_(static_cast<int>(config.integer("status", 422, 400, 499))),
        ending_(config.text("ending", "")),
        mask_(config.text("mask", "")) {
    if (words_.empty() && ending_.empty() && mask_.empty()) {
      config.problem("", "needs `words`, `ending` or `mask`");
    }
    if (ending_.size() > kWordBytesMax) {
      config.problem("/ending", "must have at most 64 bytes");
    }
    for (size_t i = 0; i < words_.size(); ++i) {
      if (words_[i].empty() || words_[i].size() > kWordBytesMax) {
        config.problem("/words/" + std::to_string(i), "must have 1 to 64 bytes");
      }
    }
  }

  Verdict on_request_body(Stream& stream, std::string_view piece, bool end) const {
    Tail* const tail = stream.state<Tail>();
    if (tail == nullptr) {
      return Verdict::error();
    }
    // What lies across the border of two pieces, then the piece by itself.
    std::array<char, 2 * kWordBytesMax> border{};
    char* last = std::copy_n(tail->bytes.begin(), tail->size, border.begin());
    last = std::copy_n(piece.begin(), std::min(piece.size(), kWordBytesMax), last);
    const std::string_view joined(border.data(), static_cast<size_t>(last - border.data()));
    if (has_word(joined) || has_word(piece)) {
      return stream.reply({.status = status_,
                           .code = "words.found",
                           .detail = "the body has a word that is not allowed"});
    }
    keep(*tail, piece);
    if (end && !std::string_view(tail->bytes.data(), tail->size).ends_with(ending_)) {
      return stream.reply({.status = status_,
                           .code = "words.no_ending",
                           .detail = "the body does not end as it must"});
    }
    return Verdict::go_on();
  }

  Verdict on_response_head(Stream& stream) const {
    if (!mask_.empty()) {
      stream.set_header(HANGU_RESPONSE, "x-masked", "1");
    }
    return Verdict::go_on();
  }

  /// Of the same length, so that the framing may stay as it is.
  Verdict on_response_body(Stream& stream, std::string_view piece, bool /*end*/) const {
    size_t at = mask_.empty() ? std::string_view::npos : piece.find(mask_);
    if (at == std::string_view::npos) {
      return Verdict::go_on();
    }
    std::string masked(piece);
    for (; at != std::string::npos; at = masked.find(mask_, at + mask_.size())) {
      std::fill_n(masked.begin() + static_cast<std::ptrdiff_t>(at), mask_.size(), '*');
    }
    return stream.replace_body(masked) ? Verdict::go_on() : Verdict::error();
  }

 private:
  /// The end of what has come.
  struct Tail {
    std::array<char, kWordBytesMax> bytes;
    size_t size;
  };

  static void keep(Tail& tail, std::string_view piece) {
    if (piece.size() >= kWordBytesMax) {
      piece.remove_prefix(piece.size() - kWordBytesMax);
      tail.size = 0;
    }
    const size_t dropped =
        tail.size + piece.size() > kWordBytesMax ? tail.size + piece.size() - kWordBytesMax : 0;
    std::copy(tail.bytes.begin() + static_cast<std::ptrdiff_t>(dropped),
              tail.bytes.begin() + static_cast<std::ptrdiff_t>(tail.size), tail.bytes.begin());
    tail.size -= dropped;
    std::copy(piece.begin(), piece.end(),
              tail.bytes.begin() + static_cast<std::ptrdiff_t>(tail.size));
    tail.size += piece.size();
  }

  bool has_word(std::string_view text) const {
    return std::any_of(words_.begin(), words_.end(), [text](const std::string& word) {
      return text.find(word) != std::string_view::npos;
    });
  }

  std::vector<std::string> words_;
  int status_;
  std::string ending_;
  std::string mask_;
};

}  // namespace

HANGU_PLUGIN(WordsPolicy)
