#include "hangu/policy/content_coding.h"

#include <algorithm>
#include <array>

#include "hangu/base/parse.h"
#include "hangu/http/text.h"

namespace hangu::policy {
namespace {

using config::ContentCoding;

constexpr size_t kCodings = 3;
constexpr int kUnnamed = -1;
constexpr int kWeightMax = 1000;

/// "0.5" in thousandths (RFC 9110 §12.4.2); a weight that is none counts as 0.
int parse_weight(std::string_view text) noexcept {
  constexpr size_t kDecimals = 3;
  const std::string_view whole = text.substr(0, text.find('.'));
  std::string_view rest = text.substr(whole.size());
  rest.remove_prefix(rest.empty() ? 0 : 1);
  if ((whole != "0" && whole != "1") || rest.size() > kDecimals) {
    return 0;
  }
  int weight = whole == "1" ? kWeightMax : 0;
  int unit = kWeightMax / 10;
  for (const char digit : rest) {
    if (digit < '0' || digit > '9') {
      return 0;
    }
    weight += (digit - '0') * unit;
    unit /= 10;
  }
  return weight <= kWeightMax ? weight : 0;
}

int weight_of(std::string_view parameters) noexcept {
  while (!parameters.empty()) {
    const size_t end = std::min(parameters.find(';'), parameters.size());
    const std::string_view parameter = http::trim_ows(parameters.substr(0, end));
    parameters.remove_prefix(std::min(end + 1, parameters.size()));
    if (parameter.starts_with("q=") || parameter.starts_with("Q=")) {
      return parse_weight(http::trim_ows(parameter.substr(2)));
    }
  }
  return kWeightMax;
}

/// What the client said of each coding.
struct Wishes {
  std::array<int, kCodings> weights{kUnnamed, kUnnamed, kUnnamed};
  int identity = kUnnamed;
  int others = kUnnamed;  // "*"

  int of(ContentCoding coding) const noexcept {
    const int named = weights[static_cast<size_t>(coding)];
    return named != kUnnamed ? named : std::max(others, 0);
  }
};

void note(std::string_view element, Wishes& wishes) noexcept {
  const size_t semicolon = std::min(element.find(';'), element.size());
  const std::string_view name = http::trim_ows(element.substr(0, semicolon));
  const int weight = weight_of(element.substr(std::min(semicolon + 1, element.size())));
  const auto is = [name](std::string_view known) { return http::equals_ignore_case(name, known); };
  if (is("gzip") || is("x-gzip")) {
    wishes.weights[static_cast<size_t>(ContentCoding::kGzip)] = weight;
  } else if (is("br")) {
    wishes.weights[static_cast<size_t>(ContentCoding::kBrotli)] = weight;
  } else if (is("zstd")) {
    wishes.weights[static_cast<size_t>(ContentCoding::kZstd)] = weight;
  } else if (is("identity")) {
    wishes.identity = weight;
  } else if (is("*")) {
    wishes.others = weight;
  }
}

}  // namespace

std::string_view to_string(ContentCoding coding) noexcept {
  switch (coding) {
    case ContentCoding::kGzip: return "gzip";
    case ContentCoding::kBrotli: return "br";
    case ContentCoding::kZstd: return "zstd";
  }
  return "gzip";
}

std::optional<ContentCoding> negotiate_coding(const http::HeaderBlock& request,
                                              std::span<const ContentCoding> codings) noexcept {
  if (!request.contains(http::HeaderName::kAcceptEncoding)) {
    return std::nullopt;
  }
  Wishes wishes;
  for (const http::Header& header : request) {
    std::string_view list =
        header.token == http::HeaderName::kAcceptEncoding ? header.value() : std::string_view{};
    while (!list.empty()) {
      note(http::next_list_element(list), wishes);
    }
  }
  std::optional<ContentCoding> best;
  int weight = std::max(wishes.identity, 1) - 1;  // as good as the bare response will do
  for (const ContentCoding coding : codings) {
    if (wishes.of(coding) > weight) {
      best = coding;
      weight = wishes.of(coding);
    }
  }
  return best;
}

MediaTypes::MediaTypes(const std::vector<std::string>& types) {
  for (const std::string& type : types) {
    if (type == "*/*") {
      all_ = true;
    } else if (type.starts_with("*+")) {
      after_.push_back(type.substr(1));
    } else if (type.ends_with("/*")) {
      before_.push_back(type.substr(0, type.size() - 1));
    } else {
      exact_.push_back(type);
    }
  }
}

bool MediaTypes::contains(std::string_view content_type) const noexcept {
  const std::string_view type = http::trim_ows(content_type.substr(0, content_type.find(';')));
  if (type.empty()) {
    return false;
  }
  const auto any = [](const std::vector<std::string>& list, auto matches) {
    return std::any_of(list.begin(), list.end(), matches);
  };
  return all_ ||
         any(exact_,
             [type](const std::string& known) { return http::equals_ignore_case(type, known); }) ||
         any(before_,
             [type](const std::string& known) {
               return http::equals_ignore_case(type.substr(0, known.size()), known);
             }) ||
         any(after_, [type](const std::string& known) {
           return type.size() > known.size() &&
                  http::equals_ignore_case(type.substr(type.size() - known.size()), known);
         });
}

}  // namespace hangu::policy
