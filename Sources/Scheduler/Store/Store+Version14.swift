// Schema version 14: where a change is based is brokerd's word, no longer a text; and an approval is of a branch, too.

import GRDB

extension Store {
    /// What waits for an approval with a base of before is taken up again, and asks for the word. Approvals and
    /// requests for them that name no branch are no more: whoever has approved something does so again.
    static let version14 = """
        UPDATE delivery_jobs SET open = 1 WHERE delivery IN (SELECT id FROM deliveries WHERE state = 2 AND base <> '');
        UPDATE deliveries SET state = 1 WHERE state = 2 AND base <> '';
        ALTER TABLE deliveries DROP COLUMN base;
        ALTER TABLE deliveries ADD COLUMN base BLOB;

        DELETE FROM approvals;
        INSERT OR IGNORE INTO known_deliveries (project, body, delivery)
            SELECT project, body, id FROM deliveries
            WHERE id IN (SELECT delivery FROM delivery_jobs WHERE name = '');
        DELETE FROM deliveries WHERE id IN (SELECT delivery FROM delivery_jobs WHERE name = '');
        DELETE FROM delivery_jobs WHERE name = '';
        """
}
