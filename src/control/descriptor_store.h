// DescriptorStore: keeps the listening sockets with the service manager (FDSTORE), so that a
// restart, even after a crash, loses none of the connections that wait in them. Control thread.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "hangu/control/service_notifier.h"
#include "hangu/net/inherited_sockets.h"
#include "hangu/server/handover.h"

namespace hangu::control {

class DescriptorStore {
 public:
  explicit DescriptorStore(ServiceNotifier& manager)
      : manager_(manager) {}

  /// These are the sockets now.
  void follow(const std::vector<server::HandedSocket>& sockets);

  /// What the process was started with, which the manager may have kept; nullptr: nothing.
  void know(const net::InheritedSockets* sockets);

 private:
  ServiceNotifier& manager_;
  std::map<std::string, std::vector<int>> kept_;  // by listener
};

}  // namespace hangu::control
