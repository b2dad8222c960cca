// An example: lets only requests pass that carry a signature of their method, path and date by a
// key that both sides know, and signs what goes to the upstream. FNV-1a with a secret stands in for
// a cryptographic MAC, so that the example needs no library; docs/plugins.md says so.
#include <array>
#include <charconv>
#include <string>
#include <string_view>

#include "hangu/plugin.hpp"

namespace {

using hangu::sdk::Config;
using hangu::sdk::Stream;
using hangu::sdk::Verdict;

constexpr uint64_t kOffset = 14695981039346656037U;
constexpr uint64_t kPrime = 1099511628211U;

uint64_t mixed(uint64_t hash, std::string_view text) {
  for (const char c : text) {
    hash = (hash ^ static_cast<unsigned char>(c)) * kPrime;
  }
  return (hash ^ 0xff) * kPrime;  // so that "ab" + "c" is not "a" + "bc"
}

class SignaturePolicy {
 public:
  static constexpr const char* kName = "signature";
#ifdef HANGU_EXAMPLE_VERSION
  static constexpr const char* kVersion = HANGU_EXAMPLE_VERSION;
#else
  static constexpr const char* kVersion = "1.0.0";
#endif

  explicit SignaturePolicy(Config& config)
      : secret_(config.required_text("secret")),
        header_(config.text("header", "x-signature")),
        verify_(config.boolean("verify", false)) {
    if (!secret_.empty() && secret_.size() < 8) {
      config.problem("/secret", "must have at least 8 characters");
    }
    if (header_.empty() || header_.find_first_of(" :\t") != std::string::npos) {
      config.problem("/header", "must be the name of a header field");
    }
  }

  Verdict on_request_head(Stream& stream) const {
    std::array<char, 16> digits{};
    const std::string_view expected = signature_of(stream, digits);
    if (verify_ && stream.header(HANGU_REQUEST, header_) != expected) {
      return stream.reply({.status = 401,
                           .code = "signature.invalid",
                           .detail = "the request is not signed by a known key"});
    }
    stream.set_header(HANGU_REQUEST, header_, expected);
    return Verdict::go_on();
  }

  Verdict on_response_head(Stream& stream) const {
    stream.set_header(HANGU_RESPONSE, "x-signed-by", kVersion);
    return Verdict::go_on();
  }

 private:
  std::string_view signature_of(const Stream& stream, std::array<char, 16>& digits) const {
    uint64_t hash = mixed(kOffset, secret_);
    hash = mixed(hash, stream.text(HANGU_TEXT_METHOD));
    hash = mixed(hash, stream.text(HANGU_TEXT_PATH));
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), hash, 16).ptr;
    return {digits.data(), static_cast<size_t>(end - digits.data())};
  }

  std::string secret_;
  std::string header_;
  bool verify_;
};

}  // namespace

HANGU_PLUGIN(SignaturePolicy)
