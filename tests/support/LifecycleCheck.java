// SPDX-License-Identifier: MIT
// Reads a lifecycle policy with the parser of Elasticsearch 8 itself, whose servers of the registries cannot run one.
import java.nio.file.*; import java.util.*;
import org.elasticsearch.xcontent.*; import org.elasticsearch.xcontent.json.JsonXContent;
import org.elasticsearch.xpack.core.ilm.*;
public class LifecycleCheck {
  public static void main(String[] a) throws Exception {
    var r = new NamedXContentRegistry(List.of(
      new NamedXContentRegistry.Entry(LifecycleType.class, new ParseField("timeseries"), p -> TimeseriesLifecycleType.INSTANCE),
      new NamedXContentRegistry.Entry(LifecycleAction.class, new ParseField("rollover"), p -> RolloverAction.parse(p)),
      new NamedXContentRegistry.Entry(LifecycleAction.class, new ParseField("delete"), p -> DeleteAction.parse(p))));
    String s = Files.readString(Path.of(a[0]));
    try (XContentParser p = JsonXContent.jsonXContent.createParser(XContentParserConfiguration.EMPTY.withRegistry(r), s)) {
      LifecyclePolicy l = LifecyclePolicy.parse(p, "x");
      l.getType().validate(l.getPhases().values());
      for (Phase ph : l.getPhases().values()) System.out.println(ph.getName() + " " + ph.getMinimumAge() + " " + ph.getActions());
    }
  }
}
