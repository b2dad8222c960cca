#include "config/network_file.h"

#include <arpa/inet.h>

#include <algorithm>

#include <fmt/format.h>

#include "hangu/base/parse.h"
#include "hangu/config/size.h"

#include "config/file.h"
#include "config/file_path.h"
#include "config/rules.h"
#include "config/text.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace hangu::config {
namespace {

constexpr size_t kNetworkFileBytesMax = 512ULL * 1024 * 1024;
constexpr size_t kBadLinesMax = 10;  // that are shown
constexpr uint8_t kMappedBits = 96;

/// Of a line without its comment.
std::string_view content_of(std::string_view line) {
  return trim(line.substr(0, line.find('#')));
}

/// What is wrong with a line, in the words of the rule for networks.
Problem problem_of(std::string_view content) {
  std::string text(content);
  std::optional<Problem> problem = kCidrRule.apply(text);
  return problem ? std::move(*problem)
                 : Problem{"E0118", fmt::format("{} is not a network", quoted(content)), ""};
}

std::vector<Network> parse_networks(Reader& reader, const std::string& path,
                                    std::string_view text) {
  std::vector<Network> networks;
  networks.reserve(static_cast<size_t>(std::count(text.begin(), text.end(), '\n')) + 1);
  size_t bad = 0;
  size_t number = 1;
  for (size_t begin = 0; begin < text.size(); ++number) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    const std::string_view line = text.substr(begin, end - begin);
    begin = end + 1;
    const std::string_view content = content_of(line);
    if (content.empty()) {
      continue;
    }
    if (const std::optional<Network> network = parse_network(content)) {
      networks.push_back(*network);
    } else if (++bad <= kBadLinesMax) {
      reader.error_in({.path = path, .line = number, .text = line}, problem_of(content));
    }
  }
  if (bad > kBadLinesMax) {
    reader.error_in(
        {.path = path},
        {"E0118", fmt::format("{} more lines of it are no networks", bad - kBadLinesMax), ""});
  }
  return networks;
}

}  // namespace

std::optional<Network> parse_network(std::string_view text) {
  const size_t slash = text.find('/');
  const std::string_view address = text.substr(0, slash);
  const bool ipv4 = address.find(':') == std::string_view::npos;
  std::array<char, INET6_ADDRSTRLEN> copy{};
  if (address.size() >= copy.size() || address.find('\0') != std::string_view::npos) {
    return std::nullopt;
  }
  std::copy(address.begin(), address.end(), copy.begin());
  Network network;
  uint8_t* const bytes = network.bytes.data();
  if (ipv4) {
    network.bytes[10] = network.bytes[11] = 0xff;
  }
  if (inet_pton(ipv4 ? AF_INET : AF_INET6, copy.data(), bytes + (ipv4 ? kMappedBits / 8 : 0)) !=
      1) {
    return std::nullopt;
  }
  const uint64_t width = ipv4 ? 32 : 128;
  const std::optional<uint64_t> length =
      slash == std::string_view::npos ? width : parse_decimal(text.substr(slash + 1), width);
  if (!length) {
    return std::nullopt;
  }
  network.bits = static_cast<uint8_t>(*length + (ipv4 ? kMappedBits : 0));
  for (size_t bit = network.bits; bit < 128; bit += bit % 8 == 0 ? 8 : 1) {
    const auto mask = static_cast<uint8_t>(bit % 8 == 0 ? 0xff : 0x80 >> (bit % 8));
    if ((network.bytes[bit / 8] & mask) != 0) {
      return std::nullopt;
    }
  }
  return network;
}

std::string NetworkFileType::limits() const {
  return fmt::format("absolute; at most {}", format_size(kNetworkFileBytesMax));
}

void NetworkFileType::read(Reader& reader, const Node& node, void* out) const {
  auto& file = *static_cast<NetworkFile*>(out);
  const std::optional<std::string> named = read_absolute_path(reader, node, "E0140");
  if (!named) {
    return;
  }
  const std::string& path = *named;
  if (reader.without_files()) {
    file.path = path;
    file.networks = std::make_shared<const std::vector<Network>>();
    return;
  }
  if (const NetworkFile* const known = reader.network_file(path)) {
    file = *known;
    return;
  }
  const Result<std::string, std::string> text = reader.read(path, kNetworkFileBytesMax);
  if (!text) {
    reader.error(node.mark,
                 {"E0140", fmt::format("cannot read {}: {}", quoted(path), text.error()), ""});
    return;
  }
  file.path = path;
  file.networks = std::make_shared<const std::vector<Network>>(parse_networks(reader, path, *text));
  const XXH128_hash_t hash = XXH3_128bits(text->data(), text->size());
  file.hash = {hash.low64, hash.high64};
  reader.remember(file);
}

Value NetworkFileType::to_value(const Config& /*config*/, const void* value) const {
  const std::string& path = static_cast<const NetworkFile*>(value)->path;
  return path.empty() ? Value{} : Value::string(path);
}

}  // namespace hangu::config
