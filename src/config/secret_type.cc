#include "config/secret_type.h"

#include <fmt/format.h>

namespace hangu::config {
namespace {

constexpr std::string_view kFilePrefix = "file:";

}  // namespace

std::string SecretType::limits() const {
  const std::string_view forms = "`${VARIABLE}`, `file:/path`";
  return bytes_min_ > 1 ? fmt::format("at least {} bytes; {}", bytes_min_, forms)
                        : std::string(forms);
}

void SecretType::read(Reader& reader, const Node& node, void* out) const {
  if (node.kind != Node::Kind::kScalar) {
    reader.error(node.mark, wrong_type("a secret", "file:/run/secrets/name", node));
    return;
  }
  const std::optional<Scalar> scalar = reader.scalar(node);
  if (!scalar) {
    return;
  }
  std::string value = scalar->text;
  const bool in_file = value.rfind(kFilePrefix, 0) == 0;
  if (in_file) {
    std::optional<std::string> read =
        reader.secret_file(node, std::string_view(value).substr(kFilePrefix.size()));
    if (!read) {
      return;
    }
    value = std::move(*read);
  } else if (!scalar->from_environment) {
    reader.warning(node.mark, {"W0152", fmt::format("{} is in plain text", reader.where()),
                               "refer to it: ${VARIABLE} or file:/run/secrets/name"});
  }
  if (value.size() < bytes_min_) {
    reader.error(node.mark, {"E0115",
                             fmt::format("a secret of {} bytes is too short: at least {}",
                                         value.size(), bytes_min_),
                             "`openssl rand -hex 32` makes a good one"});
    return;
  }
  static_cast<Secret*>(out)->text = std::move(value);
}

Value SecretType::to_value(const Config& /*config*/, const void* value) const {
  const auto& secret = *static_cast<const Secret*>(value);
  if (secret.text.empty()) {
    return {};
  }
  Value out = Value::string(secret.text);
  out.is_secret = true;
  return out;
}

}  // namespace hangu::config
