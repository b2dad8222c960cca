// ReleaseController: sees releases through: samples what becomes of the requests of each upstream
// of a split that has a ramp, lets the release take the steps that are due, sets the share that the
// shards read, and tells of it: log, audit log, book. Control thread.
//
// In a fleet one node drives and the others follow. All may read orders of operators; a change made
// anywhere is written into the book, and whoever reads a later revision there takes it over. The
// one that drives judges by what it has seen itself and by what set_peers() tells it.
#pragma once

#include <array>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "hangu/base/result.h"
#include "hangu/config/config.h"
#include "hangu/control/release_book.h"
#include "hangu/policy/release.h"

namespace boost::asio {
class io_context;
}

namespace hangu::server {
class Gateway;
}

namespace hangu::control {

enum class ReleaseRole : uint8_t { kDrive, kFollow };

/// Of one side of a release, within the guard's window.
struct ReleaseSide {
  uint64_t requests = 0;
  uint64_t errors = 0;
  uint64_t p99_us = 0;
};

struct ReleaseStatus {
  std::string route;
  std::string upstream;  // that is being released
  std::string version;
  policy::ReleaseState state;
  config::Ramp ramp;
  std::string_view guard;  // "enforce", "shadow", "off"; empty: there is none
  Duration until_step{};   // 0: there is none, or it is due
  ReleaseSide released;
  ReleaseSide others;
  std::array<uint64_t, policy::kReleaseDecisions> decisions{};  // of this process
};

/// "5%", "0.25%"
std::string share_text(uint32_t buckets);

class ReleaseController {
 public:
  /// `serves`: whether this process is the one whose word counts, and not one that comes or goes.
  ReleaseController(boost::asio::io_context& context, std::function<bool()> serves);
  ~ReleaseController();

  /// Reads it, and writes into it from now on, in place of the book before.
  void use(std::shared_ptr<ReleaseBook> book);

  /// What this process could not know: its predecessor has written the book until now.
  void read_again();

  void set_role(ReleaseRole role);

  /// A config that is in force. The gateway is there until stop().
  void apply(std::shared_ptr<const config::Config> config, server::Gateway& gateway);
  void stop();

  /// An operator's word. The error says why it cannot be obeyed.
  Result<void, std::string> order(std::string_view route, policy::ReleaseOrder order,
                                  std::string_view actor);

  std::vector<ReleaseStatus> status() const;

  /// The config in force has none.
  bool empty() const;

  /// What this node alone has seen, within the windows of the guards, by route.
  std::map<std::string, ReleaseTestimony> testimony() const;

  /// What the others have, by route; in place of what was said before. Of another release, or from
  /// before it was resumed, it does not count.
  using Testimonies = std::map<std::string, std::vector<ReleaseTestimony>, std::less<>>;
  void set_peers(Testimonies testimonies);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace hangu::control
