// The types of single values: numbers, durations, sizes, switches, words of a list, checked texts.
#pragma once

#include <initializer_list>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "hangu/base/parse.h"
#include "hangu/config/duration.h"
#include "hangu/config/size.h"

#include "config/rules.h"
#include "config/text.h"
#include "config/type.h"

namespace hangu::config {

/// A type whose values are YAML scalars: subclasses turn text into T and back.
template <class T>
class ScalarType : public TypeOf<T> {
 public:
  void read(Reader& reader, const Node& node, void* out) const final {
    if (node.kind != Node::Kind::kScalar) {
      reader.error(node.mark, wrong_type(noun(), example(), node));
      return;
    }
    const std::optional<Scalar> scalar = reader.scalar(node);
    if (!scalar) {
      return;
    }
    std::optional<Problem> problem = parse(reader, scalar->text, *static_cast<T*>(out));
    if (problem) {
      if (scalar->from_environment) {
        problem->message += " (after variables were filled in)";
      }
      reader.error(node.mark, std::move(*problem));
      return;
    }
    complete(reader, node, *static_cast<T*>(out));
  }

  Value to_value(const Config& config, const void* value) const final {
    return format(config, *static_cast<const T*>(value));
  }

 protected:
  virtual std::optional<Problem> parse(Reader& reader, const std::string& text, T& out) const = 0;
  virtual Value format(const Config& config, const T& value) const = 0;

  /// After a value that was good: what else there is to be read.
  virtual void complete(Reader& /*reader*/, const Node& /*node*/, T& /*out*/) const {}

  virtual std::string noun() const { return "a " + this->name(); }

  virtual std::string example() const = 0;
};

struct ReferredList {
  std::string_view kind;
  std::string_view list;
};

/// The index of the element of that name.
std::optional<Problem> resolve_name(Reader& reader, const ReferredList& referred,
                                    const std::string& text, uint32_t& out);

/// Schema members for a value that is `schema`, or a string with a `${VARIABLE}`.
std::string or_variable(std::string_view schema);

/// "30 is less than ..." style range problem.
Problem out_of_range(std::string_view text, std::string_view least, std::string_view most);

Problem not_a_number(std::string_view text);
Problem not_a_duration(std::string_view text);
Problem not_a_size(std::string_view text);
Problem unknown_version(std::string_view text);

struct NumberRange {
  uint64_t least = 0;
  uint64_t most = std::numeric_limits<uint64_t>::max();
  std::string_view zero_word = {};  // "auto": written in place of 0
  std::string_view zero_note = {};  // what 0 means, for the documents
};

template <class T>
class NumberType final : public ScalarType<T> {
 public:
  explicit NumberType(NumberRange range)
      : range_(range) {}

  std::string name() const override { return "number"; }

  std::string schema() const override {
    std::string number = fmt::format("\"type\":\"integer\",\"minimum\":{},\"maximum\":{}",
                                     range_.least, range_.most);
    return range_.zero_word.empty()
               ? or_variable(number)
               : or_variable(fmt::format("\"anyOf\":[{{\"const\":\"{}\"}},{{{}}}]",
                                         range_.zero_word, number));
  }

  std::string limits() const override {
    std::string out = fmt::format("{} … {}", range_.least, range_.most);
    out += range_.zero_word.empty() ? "" : fmt::format(", or `{}`", range_.zero_word);
    out += range_.zero_note.empty() ? "" : fmt::format("; 0: {}", range_.zero_note);
    return out;
  }

 protected:
  std::optional<Problem> parse(Reader& /*reader*/, const std::string& text, T& out) const override {
    if (!range_.zero_word.empty() && text == range_.zero_word) {
      out = 0;
      return std::nullopt;
    }
    const std::optional<uint64_t> number = parse_decimal(text);
    if (!number) {
      return not_a_number(text);
    }
    if (*number < range_.least || *number > range_.most) {
      return out_of_range(text, std::to_string(range_.least), std::to_string(range_.most));
    }
    out = static_cast<T>(*number);
    return std::nullopt;
  }

  Value format(const Config& /*config*/, const T& value) const override {
    const bool is_word = value == 0 && !range_.zero_word.empty();
    return is_word ? Value::string(std::string(range_.zero_word))
                   : Value::scalar(std::to_string(value));
  }

  std::string noun() const override { return "a whole number"; }

  std::string example() const override { return std::to_string(range_.least); }

 private:
  NumberRange range_;
};

struct DurationRange {
  Duration least;
  Duration most;
  std::string_view zero_note = {};  // what 0 means; empty: 0 is only allowed by `least`
};

class DurationType final : public ScalarType<Duration> {
 public:
  explicit DurationType(DurationRange range)
      : range_(range) {}

  std::string name() const override { return "duration"; }

  std::string schema() const override;
  std::string limits() const override;

 protected:
  std::optional<Problem> parse(Reader& reader, const std::string& text,
                               Duration& out) const override;
  Value format(const Config& config, const Duration& value) const override;

  std::string example() const override { return "10s"; }

 private:
  DurationRange range_;
};

struct SizeRange {
  uint64_t least;
  uint64_t most;
  std::string_view zero_note = {};
};

std::string size_schema();
std::string size_limits(const SizeRange& range);
std::optional<Problem> parse_size_in(const SizeRange& range, const std::string& text,
                                     uint64_t& out);

template <class T>
class SizeType final : public ScalarType<T> {
 public:
  explicit SizeType(SizeRange range)
      : range_(range) {}

  std::string name() const override { return "size"; }

  std::string schema() const override { return size_schema(); }

  std::string limits() const override { return size_limits(range_); }

 protected:
  std::optional<Problem> parse(Reader& /*reader*/, const std::string& text, T& out) const override {
    uint64_t bytes = out;
    std::optional<Problem> problem = parse_size_in(range_, text, bytes);
    out = static_cast<T>(bytes);
    return problem;
  }

  Value format(const Config& /*config*/, const T& value) const override {
    return Value::scalar(format_size(value));
  }

  std::string example() const override { return "64KiB"; }

 private:
  SizeRange range_;
};

/// true, false, on, off.
std::optional<bool> parse_switch(std::string_view text);

class SwitchType final : public ScalarType<bool> {
 public:
  std::string name() const override { return "switch"; }

  std::string schema() const override;

  std::string limits() const override { return "`true`, `false`, `on`, `off`"; }

 protected:
  std::optional<Problem> parse(Reader& reader, const std::string& text, bool& out) const override;
  Value format(const Config& config, const bool& value) const override;

  std::string noun() const override { return "true or false"; }

  std::string example() const override { return ""; }
};

Problem not_a_choice(std::string_view text, const std::vector<std::string_view>& words);

template <class T>
class ChoiceType final : public ScalarType<T> {
 public:
  using Choices = std::vector<std::pair<std::string_view, T>>;

  explicit ChoiceType(Choices choices)
      : choices_(std::move(choices)) {}

  std::string name() const override { return "choice"; }

  std::string schema() const override {
    std::string list;
    for (const auto& [word, value] : choices_) {
      list += (list.empty() ? "" : ",") + (is_number(word) ? std::string(word) : json_string(word));
    }
    return or_variable("\"enum\":[" + list + ']');
  }

  std::string limits() const override {
    std::string list;
    for (const auto& [word, value] : choices_) {
      list += fmt::format("{}`{}`", list.empty() ? "" : ", ", word);
    }
    return list;
  }

 protected:
  std::optional<Problem> parse(Reader& /*reader*/, const std::string& text, T& out) const override {
    std::vector<std::string_view> words;
    for (const auto& [word, value] : choices_) {
      if (text == word) {
        out = value;
        return std::nullopt;
      }
      words.push_back(word);
    }
    return not_a_choice(text, words);
  }

  Value format(const Config& /*config*/, const T& value) const override {
    for (const auto& [word, choice] : choices_) {
      if (choice == value) {
        return is_number(word) ? Value::scalar(std::string(word))
                               : Value::string(std::string(word));
      }
    }
    return {};
  }

  std::string noun() const override { return "one of its words"; }

  std::string example() const override { return std::string(choices_.front().first); }

 private:
  static bool is_number(std::string_view word) { return parse_decimal(word).has_value(); }

  Choices choices_;
};

inline std::string& text_of(std::string& text) {
  return text;
}

inline std::string& text_of(Cidr& cidr) {
  return cidr.text;
}

inline std::string& text_of(BindAddress& bind) {
  return bind.text;
}

struct TextOptions {
  std::string_view empty_word = {};  // "off": written in place of an empty text
};

/// A text under a rule. An empty one stands for "not given" and is not printed (or as its word).
template <class T>
class TextType final : public ScalarType<T> {
 public:
  explicit TextType(const TextRule& rule, TextOptions options = {})
      : rule_(rule),
        options_(options) {}

  std::string name() const override { return std::string(rule_.name); }

  std::string schema() const override {
    return rule_.pattern.empty()
               ? "\"type\":\"string\",\"minLength\":1"
               : "\"type\":\"string\",\"anyOf\":[{\"pattern\":" + json_string(rule_.pattern) +
                     "},{\"pattern\":\"\\\\$\\\\{\"}]";
  }

  std::string limits() const override {
    std::string out(rule_.limits);
    out += options_.empty_word.empty()
               ? ""
               : fmt::format("{}`{}`", out.empty() ? "or " : ", or ", options_.empty_word);
    return out;
  }

 protected:
  std::optional<Problem> parse(Reader& /*reader*/, const std::string& text, T& out) const override {
    std::string& target = text_of(out);
    if (!options_.empty_word.empty() && text == options_.empty_word) {
      target.clear();
      return std::nullopt;
    }
    target = text;
    return rule_.apply(target);
  }

  Value format(const Config& /*config*/, const T& value) const override {
    T copy = value;
    std::string& text = text_of(copy);
    if (!text.empty()) {
      return Value::string(std::move(text));
    }
    return options_.empty_word.empty() ? Value{} : Value::string(std::string(options_.empty_word));
  }

  std::string noun() const override {
    const bool vowel = std::string_view("aeiou").find(rule_.name[0]) != std::string_view::npos;
    return (vowel ? "an " : "a ") + std::string(rule_.name);
  }

  std::string example() const override { return std::string(rule_.example); }

 private:
  const TextRule& rule_;
  TextOptions options_;
};

/// "200" or "200-399".
class StatusRangeType final : public ScalarType<StatusRange> {
 public:
  std::string name() const override { return "status, or a range"; }

  std::string schema() const override;

  std::string limits() const override { return "`100` … `599`, or two with `-`"; }

 protected:
  std::optional<Problem> parse(Reader& reader, const std::string& text,
                               StatusRange& out) const override;
  Value format(const Config& config, const StatusRange& value) const override;

  std::string noun() const override { return "a status, or a range"; }

  std::string example() const override { return "200-299"; }
};

/// The name of an element of one of the lists of Config, resolved to its index. That list is read
/// before.
template <auto List>
class ReferenceType final : public ScalarType<uint32_t> {
 public:
  /// `kind`: "upstream", of which the list is "upstreams".
  ReferenceType(std::string_view kind, std::string_view list)
      : kind_(kind),
        list_(list) {}

  std::string name() const override { return "name"; }

  std::string schema() const override { return "\"type\":\"string\",\"minLength\":1"; }

  std::string limits() const override { return fmt::format("the name of one of `{}`", list_); }

 protected:
  std::optional<Problem> parse(Reader& reader, const std::string& text,
                               uint32_t& out) const override {
    return resolve_name(reader, {kind_, list_}, text, out);
  }

  Value format(const Config& config, const uint32_t& value) const override {
    const auto& elements = config.*List;
    return value < elements.size() ? Value::string(elements[value].name) : Value{};
  }

  std::string noun() const override { return fmt::format("the name of one of `{}`", list_); }

  std::string example() const override { return ""; }

 private:
  std::string_view kind_;
  std::string_view list_;
};

using UpstreamRefType = ReferenceType<&Config::upstreams>;
using RateLimitRefType = ReferenceType<&Config::rate_limits>;
using StoreRefType = ReferenceType<&Config::stores>;
using ConcurrencyLimitRefType = ReferenceType<&Config::concurrency_limits>;
using BandwidthLimitRefType = ReferenceType<&Config::bandwidth_limits>;
using ConsumerRefType = ReferenceType<&Config::consumers>;
using AuthenticatorRefType = ReferenceType<&Config::authenticators>;
using ForwardAuthRefType = ReferenceType<&Config::forward_auths>;
using PluginRefType = ReferenceType<&Config::plugins>;

class RateType final : public ScalarType<Rate> {
 public:
  std::string name() const override { return "rate"; }

  std::string schema() const override;

  std::string limits() const override {
    return "`1/h` … `1000000000000/s`; of bytes also `1MiB/s`";
  }

 protected:
  std::optional<Problem> parse(Reader& reader, const std::string& text, Rate& out) const override;
  Value format(const Config& config, const Rate& value) const override;

  std::string example() const override { return "100/s"; }
};

/// "5", "0.25" or "5%".
class PercentType final : public ScalarType<Percent> {
 public:
  std::string name() const override { return "percentage"; }

  std::string schema() const override;

  std::string limits() const override { return "0 … 100, four decimals at most"; }

 protected:
  std::optional<Problem> parse(Reader& reader, const std::string& text,
                               Percent& out) const override;
  Value format(const Config& config, const Percent& value) const override;

  std::string example() const override { return "5"; }
};

class KeyPartType final : public ScalarType<KeyPart> {
 public:
  std::string name() const override { return "key part"; }

  std::string schema() const override;

  std::string limits() const override {
    return "`client_ip`, `host`, `route`, `method`, `path`, `path:{NAME}`, `header:NAME`, "
           "`cookie:NAME`, `query:NAME`, `consumer`, `claim:NAME`, `tls_server_name`, "
           "`tls_client`";
  }

 protected:
  std::optional<Problem> parse(Reader& reader, const std::string& text,
                               KeyPart& out) const override;
  Value format(const Config& config, const KeyPart& value) const override;

  std::string example() const override { return "client_ip"; }
};

class RateCostType final : public ScalarType<RateCost> {
 public:
  std::string name() const override { return "cost"; }

  std::string schema() const override;

  std::string limits() const override {
    return "a number from 1 to 1000000, `request_bytes`, `response_bytes`, `bytes` (both), "
           "`response_header:NAME`";
  }

 protected:
  std::optional<Problem> parse(Reader& reader, const std::string& text,
                               RateCost& out) const override;
  Value format(const Config& config, const RateCost& value) const override;

  std::string example() const override { return "response_bytes"; }
};

/// The offset of local time from UTC, in minutes.
class UtcOffsetType final : public ScalarType<int32_t> {
 public:
  std::string name() const override { return "offset"; }

  std::string schema() const override;

  std::string limits() const override { return "`-12:00` … `+14:00`"; }

 protected:
  std::optional<Problem> parse(Reader& reader, const std::string& text,
                               int32_t& out) const override;
  Value format(const Config& config, const int32_t& value) const override;

  std::string noun() const override { return "an offset"; }

  std::string example() const override { return "+08:00"; }
};

class StoreUrlType final : public ScalarType<StoreUrl> {
 public:
  std::string name() const override { return "URL"; }

  std::string schema() const override;

  std::string limits() const override { return "`redis://HOST[:PORT][/DATABASE]`"; }

 protected:
  std::optional<Problem> parse(Reader& reader, const std::string& text,
                               StoreUrl& out) const override;
  Value format(const Config& config, const StoreUrl& value) const override;

  std::string example() const override { return "redis://127.0.0.1:6379/0"; }
};

/// The schema version of the file; it fills nothing.
class VersionType final : public ScalarType<Config> {
 public:
  std::string name() const override { return "number"; }

  std::string schema() const override { return "\"const\":1"; }

  std::string limits() const override { return "`1`"; }

 protected:
  std::optional<Problem> parse(Reader& reader, const std::string& text, Config& out) const override;
  Value format(const Config& config, const Config& value) const override;

  std::string noun() const override { return "a whole number"; }

  std::string example() const override { return "1"; }
};

}  // namespace hangu::config
