// DemoOrigin: a small HTTP/1.1 server to try a gateway against: `hangu demo` starts it, tests use
// it. Loopback only, on a thread and io_context of its own, which the destructor joins. Not fast,
// not for anybody's production. It never buffers a whole body, in either direction.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "hangu/base/result.h"

namespace hangu::control {

struct DemoPath {
  std::string path;
  std::string text;
};

/// What it is like, for demos of what a gateway makes of a bad server. `/faults?fail=30&delay=200`
/// changes it.
struct DemoBehaviour {
  std::string version;        // in `x-version`; empty: not told
  uint32_t fail_percent = 0;  // of requests that are answered with 500
  uint32_t delay_ms = 0;      // before each answer
};

class DemoOrigin {
 public:
  static constexpr uint32_t kDelayMsMax = 60'000;

  /// Listens on 127.0.0.1; port 0 lets the kernel choose.
  static Result<std::unique_ptr<DemoOrigin>, std::string> start(uint16_t port,
                                                                DemoBehaviour behaviour = {});
  ~DemoOrigin();

  uint16_t port() const;

  /// What there is to try, for the welcome text.
  static const std::vector<DemoPath>& paths();

 private:
  class Impl;
  explicit DemoOrigin(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace hangu::control
