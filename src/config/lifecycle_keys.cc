// The keys of `shutdown`, `upgrade` and `reload`. See schema.cc.
#include "config/keys.h"

namespace hangu::config {
namespace {

template <class Window>
void add_spread(ObjectType<Window>& type) {
  type.template key<&Window::ws_spread>(
      duration(Duration::zero(), hours(24)),
      {.name = "ws_spread",
       .documentation =
           "The last part of `drain_timeout`, over which the WebSockets that are still "
           "open are closed evenly, by a Close frame; at most all of it. 0: at its "
           "end they are cut off.",
       .example = "30s"});
}

}  // namespace

TypePtr<Shutdown> shutdown_keys() {
  auto type = object<Shutdown>("mapping");
  type->key<&Shutdown::lb_delay>(
          duration(Duration::zero(), hours(1)),
          {.name = "lb_delay",
           .documentation =
               "After SIGTERM: not ready any more but still accepting, so that load balancers "
               "notice.",
           .example = "10s"})
      .key<&Shutdown::drain_timeout>(
          duration(Duration::zero(), hours(24)),
          {.name = "drain_timeout",
           .documentation = "Then no new connections; what is still open after this is closed.",
           .example = "2m"});
  add_spread(*type);
  return type;
}

TypePtr<Upgrade> upgrade_keys() {
  auto type = object<Upgrade>("mapping");
  type->key<&Upgrade::ready_timeout>(
          duration(seconds(1), minutes(10)),
          {.name = "ready_timeout",
           .documentation = "Within which the new process has to be ready; else it is ended, and "
                            "the old one goes on as if nothing had been.",
           .example = "1m"})
      .key<&Upgrade::drain_timeout>(
          duration(Duration::zero(), hours(24 * 30)),
          {.name = "drain_timeout",
           .documentation = "How long the old process stays for requests, connections and tunnels "
                            "that could not pass to the new one; then it closes them.",
           .example = "1h"});
  add_spread(*type);
  return type;
}

TypePtr<ReloadWindow> reload_keys() {
  auto type = object<ReloadWindow>("mapping");
  type->key<&ReloadWindow::drain_timeout>(
      duration(Duration::zero(), hours(24 * 30), "tunnels stay until their own end"),
      {.name = "drain_timeout",
       .documentation = "After which tunnels of a removed listener are closed. Every other "
                        "connection outlives a reload.",
       .example = "10m"});
  add_spread(*type);
  return type;
}

}  // namespace hangu::config
