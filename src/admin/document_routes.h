// /config/documents and /config/changes: reading and writing the elements of the config. Control
// thread.
#pragma once

#include "admin/route_table.h"

namespace hangu::admin {

void list_documents(const Admitted& asked, Context& context, Done done);
void get_document(const Admitted& asked, Context& context, Done done);
void put_document(const Admitted& asked, Context& context, Done done);
void delete_document(const Admitted& asked, Context& context, Done done);
void change_documents(const Admitted& asked, Context& context, Done done);

}  // namespace hangu::admin
