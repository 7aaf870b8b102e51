package dev.finetune.trainer.data;

import com.fasterxml.jackson.databind.node.ObjectNode;

/** Rows of query and response, and optionally system and history, a list of [query, response]. */
final class QueryResponseFormat implements RowFormat {
  @Override
  public Content content(ObjectNode row) throws RowFault {
    Exchange exchange = Exchange.before(row);
    String query = RowFormat.required(row, "query");
    String response = RowFormat.required(row, "response");
    if (query.isBlank()) {
      throw new RowFault("'query' is empty; there is nothing to answer");
    }
    return exchange.end(query, "response", response);
  }
}
