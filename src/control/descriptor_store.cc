#include "control/descriptor_store.h"

#include <utility>

namespace hangu::control {

void DescriptorStore::know(const net::InheritedSockets* sockets) {
  for (const std::string& name :
       sockets != nullptr ? sockets->names() : std::vector<std::string>{}) {
    kept_[name];
  }
}

void DescriptorStore::follow(const std::vector<server::HandedSocket>& sockets) {
  std::map<std::string, std::vector<int>> wanted;
  for (const server::HandedSocket& socket : sockets) {
    wanted[socket.listener].push_back(socket.fd);
  }
  for (const auto& [name, descriptors] : kept_) {
    const auto found = wanted.find(name);
    if (found == wanted.end() || found->second != descriptors) {
      manager_.forget(name);
    }
  }
  for (const auto& [name, descriptors] : wanted) {
    const auto before = kept_.find(name);
    if (before == kept_.end() || before->second != descriptors) {
      for (const int fd : descriptors) {
        manager_.keep(fd, name);
      }
    }
  }
  kept_ = std::move(wanted);
}

}  // namespace hangu::control
