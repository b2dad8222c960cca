// The keys of `config_center.rollout`. See schema.cc.
#include "config/rollout_keys.h"

#include <algorithm>

#include <fmt/format.h>

#include "config/keys.h"
#include "config/text.h"

namespace hangu::config {
namespace {

constexpr size_t kNodeLabelBytesMax = 128;

bool is_node_label(std::string_view text) {
  const size_t equals = text.find('=');
  const auto good = [](char c) {
    return is_alnum(c) || c == '-' || c == '_' || c == '.' || c == '/';
  };
  return equals != std::string_view::npos && equals != 0 && equals + 1 != text.size() &&
         text.size() <= kNodeLabelBytesMax &&
         std::all_of(text.begin(), text.end(), [&](char c) { return c == '=' || good(c); }) &&
         text.find('=', equals + 1) == std::string_view::npos;
}

std::optional<uint64_t> whole_percent(std::string_view text) {
  if (!text.ends_with('%')) {
    return std::nullopt;
  }
  const auto number = parse_decimal(text.substr(0, text.size() - 1));
  return number && *number >= 1 && *number <= 100 ? number : std::nullopt;
}

std::optional<Problem> apply_label(std::string& text) {
  if (is_node_label(text)) {
    return std::nullopt;
  }
  return Problem{"E0185", fmt::format("{} is no label", quoted(text)), "write `name=value`"};
}

std::optional<Problem> apply_stage(std::string& text) {
  if (is_node_label(text) || whole_percent(text)) {
    return std::nullopt;
  }
  return Problem{"E0185", fmt::format("{} is no stage of a rollout", quoted(text)),
                 "write a share of the nodes, such as 25%, or a label, such as canary=yes"};
}

void check_stages(Reader& reader, const Node& node, const RolloutPlan& plan) {
  uint64_t before = 0;
  for (const std::string& stage : plan.stages) {
    const uint64_t share = whole_percent(stage).value_or(before);
    if (share < before) {
      reader.error(child(node, "stages").mark,
                   {"E0136", "a stage has fewer nodes than the one before", ""});
      return;
    }
    before = share;
  }
  if (before != 100) {
    reader.error(child(node, "stages").mark,
                 {"E0136", "the last stage is not that of all nodes", "end with 100%"});
  }
}

TypePtr<RolloutGuard> guard_keys() {
  auto type = object<RolloutGuard>("mapping");
  type->key<&RolloutGuard::requests_min>(
          number<uint64_t>({1, 1'000'000'000}),
          {.name = "requests_min",
           .documentation = "Of the nodes that have the change, before they are compared.",
           .example = "1000"})
      .key<&RolloutGuard::error_ratio_delta>(
          percent(), {.name = "error_ratio_delta",
                      .documentation = "How much more of all requests may end with a 5xx status "
                                       "than on the other nodes, or than before.",
                      .example = "0.5"})
      .key<&RolloutGuard::p99_delta>(
          percent(), {.name = "p99_delta",
                      .documentation = "How much longer the 99th percentile may be, and 5 ms.",
                      .example = "50"})
      .key<&RolloutGuard::hold>(choice<bool>({{"rollback", false}, {"hold", true}}),
                                {.name = "action",
                                 .documentation = "What happens then: the change is taken back, or "
                                                  "stays where it is until somebody decides.",
                                 .example = "hold"});
  return type;
}

}  // namespace

const TextRule kLabelRule = {"label", "zone=east", "`name=value`; at most 128 bytes",
                             "^[A-Za-z0-9._/-]+=[A-Za-z0-9._/-]+$", apply_label};
const TextRule kStageRule = {"share of nodes, or label", "25%", "1% … 100%, or `name=value`",
                             "^([0-9]{1,3}%|[A-Za-z0-9._/-]+=[A-Za-z0-9._/-]+)$", apply_stage};

TypePtr<RolloutPlan> rollout_keys() {
  auto type = object<RolloutPlan>("mapping");
  type->key<&RolloutPlan::stages>(
          list(text(kStageRule), {.name = "list of stages", .example = "[canary=yes, 25%, 100%]"}),
          {.name = "stages",
           .documentation = "Which nodes have the change, one stage after the other: a share of "
                            "all, or those of a label. Nodes of a stage before stay.",
           .example = "[canary=yes, 25%, 100%]"})
      .key<&RolloutPlan::every>(duration(milliseconds(100), hours(24 * 7)),
                                {.name = "every",
                                 .documentation = "How long a stage lasts, from the moment that "
                                                  "enough of its nodes are ready.",
                                 .example = "10m"})
      .key<&RolloutPlan::ready_within>(
          duration(seconds(5), hours(1)),
          {.name = "ready_within",
           .documentation = "The change is taken back when they are not ready for so long.",
           .example = "30s"})
      .key<&RolloutPlan::ready>(percent(),
                                {.name = "ready",
                                 .documentation = "How many of a stage's nodes have to be ready.",
                                 .example = "100"})
      .key<&RolloutPlan::guard>(guard_keys(), {.name = "guard",
                                               .documentation = "What ends a rollout.",
                                               .example = "{error_ratio_delta: 0.5, action: hold}"})
      .check(check_stages);
  return type;
}

}  // namespace hangu::config
