// A step of the schema: who may see some projects alone lists their jobs, however many others have.

import GRDB

extension Store {
    static let version11 = "CREATE INDEX jobs_by_project ON jobs (project, id)"
}
