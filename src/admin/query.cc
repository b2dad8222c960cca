#include "hangu/admin/query.h"

#include <algorithm>

#include <fmt/format.h>

#include "hangu/base/letter_case.h"
#include "hangu/base/parse.h"

namespace hangu::admin {
namespace {

std::optional<std::string> percent_decode(std::string_view text) {
  std::string out;
  for (size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '+') {
      out += ' ';
      continue;
    }
    if (text[at] != '%') {
      out += text[at];
      continue;
    }
    const auto byte = parse_hex(text.substr(at + 1, 2));
    if (at + 2 >= text.size() || !byte) {
      return std::nullopt;
    }
    out += static_cast<char>(*byte);
    at += 2;
  }
  return out;
}

bool is_unreserved(char byte) {
  return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
         (byte >= '0' && byte <= '9') || byte == '-' || byte == '.' || byte == '_' || byte == '~';
}

bool is_host_byte(char byte) {
  return is_unreserved(byte) || std::string_view("[]:%").find(byte) != std::string_view::npos;
}

/// Takes "host[:port]" apart; the error says why it cannot.
Result<void, std::string> split_authority(std::string_view authority, Url& url) {
  const size_t bracket = authority.rfind(']');
  const size_t colon = authority.find(':', bracket == std::string_view::npos ? 0 : bracket);
  const std::string_view host = authority.substr(0, colon);
  if (colon != std::string_view::npos) {
    const auto port = parse_decimal(authority.substr(colon + 1), UINT16_MAX);
    if (!port || *port == 0) {
      return Failure<std::string>{fmt::format("\"{}\" is not a port", authority.substr(colon + 1))};
    }
    url.port = static_cast<uint16_t>(*port);
  }
  url.host.assign(host.ends_with('.') ? host.substr(0, host.size() - 1) : host);
  std::transform(url.host.begin(), url.host.end(), url.host.begin(), to_lower);
  if (url.host.empty() || !std::all_of(url.host.begin(), url.host.end(), is_host_byte)) {
    return Failure<std::string>{fmt::format("\"{}\" is not a host name", host)};
  }
  return {};
}

}  // namespace

std::optional<QueryFields> parse_query(std::string_view query) {
  QueryFields fields;
  while (!query.empty()) {
    const size_t end = std::min(query.find('&'), query.size());
    const std::string_view field = query.substr(0, end);
    const size_t equals = std::min(field.find('='), field.size());
    auto name = percent_decode(field.substr(0, equals));
    auto value = percent_decode(field.substr(std::min(equals + 1, field.size())));
    if (!name || !value) {
      return std::nullopt;
    }
    if (!field.empty()) {
      fields.emplace_back(std::move(*name), std::move(*value));
    }
    query.remove_prefix(std::min(end + 1, query.size()));
  }
  return fields;
}

std::string percent_encode(std::string_view text) {
  std::string out;
  for (const char byte : text) {
    if (is_unreserved(byte)) {
      out += byte;
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(byte));
    }
  }
  return out;
}

Result<Url, std::string> parse_url(std::string_view text) {
  Url url;
  url.scheme = "http";
  if (const size_t mark = text.find("://"); mark != std::string_view::npos) {
    url.scheme.assign(text.substr(0, mark));
    std::transform(url.scheme.begin(), url.scheme.end(), url.scheme.begin(), to_lower);
    text.remove_prefix(mark + 3);
  }
  if (url.scheme != "http" && url.scheme != "https") {
    return Failure<std::string>{
        fmt::format("the scheme must be http or https, not \"{}\"", url.scheme)};
  }
  url.port = url.scheme == "https" ? 443 : 80;
  text = text.substr(0, text.find('#'));
  const size_t slash = std::min(text.find_first_of("/?"), text.size());
  if (auto split = split_authority(text.substr(0, slash), url); !split) {
    return Failure<std::string>{split.error()};
  }
  const std::string_view target = text.substr(slash);
  const size_t question = std::min(target.find('?'), target.size());
  url.path.assign(target.substr(0, question));
  url.query.assign(target.substr(std::min(question + 1, target.size())));
  if (url.path.empty()) {
    url.path = "/";
  }
  return url;
}

}  // namespace hangu::admin
