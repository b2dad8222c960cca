// The keys of `overload`, and of an upstream's `adaptive_concurrency` and `admission`. See
// schema.cc.
#include "config/keys.h"

namespace hangu::config {
namespace {

template <class T, class MakeType>
void add_steps(ObjectType<OverloadSteps<T>>& type, MakeType make, std::string_view example) {
  using Steps = OverloadSteps<T>;
  type.template key<&Steps::shed_low>(
          make(), {.name = "shed_low",
                   .documentation = "From here on routes with `priority: low` get 503, and idle "
                                    "connections are closed sooner.",
                   .example = example})
      .template key<&Steps::shed_normal>(
          make(), {.name = "shed_normal",
                   .documentation = "From here on routes of normal priority get 503, too.",
                   .example = example})
      .template key<&Steps::stop>(
          make(), {.name = "stop",
                   .documentation = "From here on no connection is accepted, and routes of high "
                                    "priority get 503 unless they answer by `respond`.",
                   .example = example});
}

TypePtr<OverloadSteps<uint32_t>> percent_steps() {
  auto type = object<OverloadSteps<uint32_t>>("mapping");
  add_steps<uint32_t>(
      *type,
      [] {
        return number<uint32_t>({1, 100});
      },
      "75");
  type->check(check_percent_steps);
  return type;
}

TypePtr<OverloadSteps<Duration>> delay_steps() {
  auto type = object<OverloadSteps<Duration>>("mapping");
  add_steps<Duration>(
      *type, [] { return duration(milliseconds(1), minutes(1)); }, "50ms");
  type->check(check_delay_steps);
  return type;
}

TypePtr<QueueSteps> queue_steps() {
  auto type = object<QueueSteps>("mapping");
  type->key<&QueueSteps::shed_low>(
          number<uint32_t>({1, 100}),
          {.name = "shed_low",
           .documentation = "From here on routes with `priority: low` get 503, and idle "
                            "connections are closed sooner.",
           .example = "25"})
      .key<&QueueSteps::shed_normal>(
          number<uint32_t>({1, 100}),
          {.name = "shed_normal",
           .documentation = "From here on routes of normal priority get 503, too.",
           .example = "75"})
      .check(check_queue_steps);
  return type;
}

void add_triggers(ObjectType<Overload>& type) {
  type.key<&Overload::memory_bytes_max>(
          size<uint64_t>({kMiB, 1024 * 1024 * kGiB,
                          "the limit of the cgroup, else the machine's "
                          "memory"}),
          {.name = "memory_max",
           .documentation = "Memory that the process may have, for `memory_percent`.",
           .example = "4GiB"})
      .key<&Overload::memory_percent>(percent_steps(),
                                      {.name = "memory_percent",
                                       .documentation = "Resident memory, of `memory_max`.",
                                       .example = "{shed_low: 75}"})
      .key<&Overload::descriptors_percent>(
          percent_steps(), {.name = "descriptors_percent",
                            .documentation = "Open descriptors, of the process's limit.",
                            .example = "{shed_low: 75}"})
      .key<&Overload::accept_queue_percent>(
          queue_steps(),
          {.name = "accept_queue_percent",
           .documentation = "Connections that wait to be accepted, of a listener's `backlog` (or "
                            "`net.core.somaxconn`, if that is less). Each worker by itself.",
           .example = "{shed_low: 25}"})
      .key<&Overload::delay>(
          delay_steps(),
          {.name = "delay",
           .documentation = "How long what arrives at a worker waits for its turn: the least in a "
                            "`delay_window`, so that bursts do not count. Each worker by itself.",
           .example = "{shed_low: 10ms}"})
      .key<&Overload::delay_window>(
          duration(milliseconds(10), seconds(10)),
          {.name = "delay_window", .documentation = "See `delay`.", .example = "200ms"});
}

}  // namespace

TypePtr<Overload> overload_keys() {
  auto type = switched<Overload>("{memory_max: 4GiB}");
  type->mapping().key<&Overload::mode>(
      mode(), {.name = "mode", .documentation = kModeDocumentation, .example = "shadow"});
  add_triggers(type->mapping());
  type->mapping()
      .key<&Overload::interval>(duration(milliseconds(10), minutes(1)),
                                {.name = "interval",
                                 .documentation = "How often memory and descriptors are looked at.",
                                 .example = "1s"})
      .key<&Overload::recovery>(
          duration(milliseconds(10), minutes(10)),
          {.name = "recovery",
           .documentation = "A step is undone when its measure has been a tenth below it for so "
                            "long.",
           .example = "5s"})
      .key<&Overload::retry_after>(
          duration(seconds(1), hours(1)),
          {.name = "retry_after",
           .documentation = "What refused clients are told to wait, up to half as long again at "
                            "random.",
           .example = "10s"});
  return type;
}

TypePtr<AdaptiveConcurrency> adaptive_concurrency_keys() {
  auto type = switched<AdaptiveConcurrency>("{max: 200}");
  type->mapping()
      .key<&AdaptiveConcurrency::mode>(
          mode(), {.name = "mode", .documentation = kModeDocumentation, .example = "shadow"})
      .key<&AdaptiveConcurrency::limit_min>(
          number<uint32_t>({1, 100'000}),
          {.name = "min",
           .documentation = "The least limit, and the one while the latency at rest is measured.",
           .example = "10"})
      .key<&AdaptiveConcurrency::limit_max>(
          number<uint32_t>({1, 1'000'000}),
          {.name = "max", .documentation = "The largest limit.", .example = "200"})
      .key<&AdaptiveConcurrency::buffer_percent>(
          number<uint32_t>({0, 1000}),
          {.name = "buffer_percent",
           .documentation = "How much slower than at rest answers may be before the limit falls.",
           .example = "50"})
      .key<&AdaptiveConcurrency::interval>(
          duration(milliseconds(10), minutes(1)),
          {.name = "interval", .documentation = "Between two limits.", .example = "200ms"})
      .key<&AdaptiveConcurrency::samples_min>(
          number<uint32_t>({1, 100'000}),
          {.name = "samples_min",
           .documentation = "With fewer answers in an `interval` the limit stays as it is.",
           .example = "20"})
      .key<&AdaptiveConcurrency::baseline_interval>(
          duration(milliseconds(100), hours(24)),
          {.name = "baseline_interval",
           .documentation = "How often the latency at rest is measured.",
           .example = "5m"})
      .key<&AdaptiveConcurrency::baseline_requests>(
          number<uint32_t>({1, 10'000}), {.name = "baseline_requests",
                                          .documentation = "Answers that make such a measurement.",
                                          .example = "100"})
      .key<&AdaptiveConcurrency::jitter_percent>(
          number<uint32_t>({0, 100}),
          {.name = "jitter_percent",
           .documentation = "At random so much is added to `baseline_interval`, so that nodes do "
                            "not measure together.",
           .example = "30"})
      .check(check_adaptive);
  return type;
}

TypePtr<Admission> admission_keys() {
  auto type = switched<Admission>("{window: 10s}");
  type->mapping()
      .key<&Admission::mode>(
          mode(), {.name = "mode", .documentation = kModeDocumentation, .example = "shadow"})
      .key<&Admission::window>(
          duration(milliseconds(100), hours(1)),
          {.name = "window", .documentation = "What is looked back on.", .example = "10s"})
      .key<&Admission::success_percent>(
          number<uint32_t>({1, 100}),
          {.name = "success_percent",
           .documentation = "Of the requests; below it a share of them is refused, the larger the "
                            "fewer succeed. A status of 500 and above is a failure, and no answer.",
           .example = "90"})
      .key<&Admission::aggression>(number<uint32_t>({1, 10}),
                                   {.name = "aggression",
                                    .documentation = "The share's root of this degree is refused.",
                                    .example = "2"})
      .key<&Admission::reject_percent_max>(
          number<uint32_t>({1, 99}),
          {.name = "reject_percent_max",
           .documentation = "The largest share; the others find out when it is over.",
           .example = "95"})
      .key<&Admission::requests_min>(
          number<uint32_t>({1, 1'000'000}),
          {.name = "requests_min",
           .documentation = "With fewer in the `window`, on a worker, none is refused.",
           .example = "100"});
  return type;
}

}  // namespace hangu::config
