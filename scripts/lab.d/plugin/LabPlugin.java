// Two things that the test zips of Elasticsearch 8.19 and 9.2 lack and real servers have:
// the answer to GET /, and the analysis parts without which the .security index, and with it
// every user, role and API key, cannot be created.
package lab;

import java.io.IOException;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import org.apache.lucene.analysis.FilteringTokenFilter;
import org.apache.lucene.analysis.TokenStream;
import org.apache.lucene.analysis.email.UAX29URLEmailTokenizer;
import org.apache.lucene.analysis.pattern.PatternCaptureGroupTokenFilter;
import org.apache.lucene.analysis.tokenattributes.CharTermAttribute;
import org.elasticsearch.Build;
import org.elasticsearch.action.ActionListener;
import org.elasticsearch.action.ActionRequest;
import org.elasticsearch.action.ActionRequestValidationException;
import org.elasticsearch.action.ActionResponse;
import org.elasticsearch.action.ActionType;
import org.elasticsearch.action.support.ActionFilters;
import org.elasticsearch.action.support.TransportAction;
import org.elasticsearch.client.internal.node.NodeClient;
import org.elasticsearch.cluster.metadata.IndexNameExpressionResolver;
import org.elasticsearch.cluster.node.DiscoveryNodes;
import org.elasticsearch.cluster.service.ClusterService;
import org.elasticsearch.common.io.stream.NamedWriteableRegistry;
import org.elasticsearch.common.io.stream.StreamOutput;
import org.elasticsearch.common.settings.ClusterSettings;
import org.elasticsearch.common.settings.IndexScopedSettings;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.common.settings.SettingsFilter;
import org.elasticsearch.common.util.concurrent.EsExecutors;
import org.elasticsearch.features.NodeFeature;
import org.elasticsearch.index.IndexVersion;
import org.elasticsearch.index.analysis.PreConfiguredTokenFilter;
import org.elasticsearch.index.analysis.TokenFilterFactory;
import org.elasticsearch.index.analysis.TokenizerFactory;
import org.elasticsearch.indices.analysis.AnalysisModule.AnalysisProvider;
import org.elasticsearch.injection.guice.Inject;
import org.elasticsearch.plugins.ActionPlugin;
import org.elasticsearch.plugins.AnalysisPlugin;
import org.elasticsearch.plugins.Plugin;
import org.elasticsearch.rest.BaseRestHandler;
import org.elasticsearch.rest.RestController;
import org.elasticsearch.rest.RestHandler;
import org.elasticsearch.rest.RestRequest;
import org.elasticsearch.rest.RestResponse;
import org.elasticsearch.rest.RestStatus;
import org.elasticsearch.rest.action.RestBuilderListener;
import org.elasticsearch.tasks.Task;
import org.elasticsearch.transport.TransportService;
import org.elasticsearch.xcontent.ToXContentObject;
import org.elasticsearch.xcontent.XContentBuilder;

@SuppressWarnings({"rawtypes", "unchecked"})
public class LabPlugin extends Plugin implements ActionPlugin, AnalysisPlugin {
    // The name of the real action: rights are granted by it.
    static final ActionType<Banner> ACTION = new ActionType<>("cluster:monitor/main");

    @Override
    public Collection getActions() {
        return List.of(new ActionHandler(ACTION, BannerAction.class));
    }

    @Override
    public Collection<RestHandler> getRestHandlers(Settings settings, NamedWriteableRegistry writeables, RestController controller,
            ClusterSettings cluster, IndexScopedSettings index, SettingsFilter filter, IndexNameExpressionResolver resolver,
            Supplier<DiscoveryNodes> nodes, Predicate<NodeFeature> features) {
        return List.of(new Root());
    }

    @Override
    public Map<String, AnalysisProvider<TokenizerFactory>> getTokenizers() {
        return Map.of("uax_url_email", (index, env, name, settings) -> TokenizerFactory.newFactory(name, UAX29URLEmailTokenizer::new));
    }

    @Override
    public Map<String, AnalysisProvider<TokenFilterFactory>> getTokenFilters() {
        return Map.of("pattern_capture", AnalysisPlugin.requiresAnalysisSettings((index, env, name, settings) -> {
            Pattern[] patterns = settings.getAsList("patterns").stream().map(Pattern::compile).toArray(Pattern[]::new);
            boolean original = settings.getAsBoolean("preserve_original", true);
            return new TokenFilterFactory() {
                @Override public String name() { return name; }
                @Override public TokenStream create(TokenStream in) { return new PatternCaptureGroupTokenFilter(in, original, patterns); }
            };
        }));
    }

    @Override
    public List<PreConfiguredTokenFilter> getPreConfiguredTokenFilters() {
        return List.of(PreConfiguredTokenFilter.singleton("unique", false, Unique::new));
    }

    static final class Unique extends FilteringTokenFilter {
        private final CharTermAttribute term = addAttribute(CharTermAttribute.class);
        private final Set<String> seen = new HashSet<>();

        Unique(TokenStream in) { super(in); }

        @Override protected boolean accept() { return seen.add(term.toString()); }

        @Override public void reset() throws IOException {
            super.reset();
            seen.clear();
        }
    }

    static class Root extends BaseRestHandler {
        @Override public String getName() { return "main_action"; }

        @Override public List<Route> routes() {
            return List.of(new Route(RestRequest.Method.GET, "/"), new Route(RestRequest.Method.HEAD, "/"));
        }

        @Override public RestChannelConsumer prepareRequest(RestRequest request, NodeClient client) {
            return channel -> client.execute(ACTION, new Ask(), new RestBuilderListener<Banner>(channel) {
                @Override public RestResponse buildResponse(Banner banner, XContentBuilder out) throws Exception {
                    if (!request.hasParam("pretty")) out.prettyPrint().lfAtEnd();
                    banner.toXContent(out, request);
                    return new RestResponse(RestStatus.OK, out);
                }
            });
        }
    }

    public static class Ask extends ActionRequest {
        @Override public ActionRequestValidationException validate() { return null; }
    }

    public static class BannerAction extends TransportAction<Ask, Banner> {
        private final ClusterService cluster;
        private final String node;

        @Inject
        public BannerAction(Settings settings, TransportService transport, ActionFilters filters, ClusterService cluster) {
            super(ACTION.name(), filters, transport.getTaskManager(), EsExecutors.DIRECT_EXECUTOR_SERVICE);
            this.cluster = cluster;
            node = settings.get("node.name");
        }

        @Override protected void doExecute(Task task, Ask ask, ActionListener<Banner> listener) {
            listener.onResponse(new Banner(node, cluster.getClusterName().value(), cluster.state().metadata().clusterUUID()));
        }
    }

    public static class Banner extends ActionResponse implements ToXContentObject {
        private final String node, cluster, uuid;

        Banner(String node, String cluster, String uuid) {
            this.node = node;
            this.cluster = cluster;
            this.uuid = uuid;
        }

        @Override public void writeTo(StreamOutput out) { throw new UnsupportedOperationException("one node only"); }

        @Override public XContentBuilder toXContent(XContentBuilder out, Params params) throws IOException {
            Build build = Build.current();
            out.startObject().field("name", node).field("cluster_name", cluster).field("cluster_uuid", uuid).startObject("version");
            out.field("number", build.qualifiedVersion()).field("build_flavor", build.flavor());
            out.field("build_type", build.type().displayName()).field("build_hash", build.hash()).field("build_date", build.date());
            out.field("build_snapshot", build.isSnapshot()).field("lucene_version", IndexVersion.current().luceneVersion().toString());
            out.field("minimum_wire_compatibility_version", build.minWireCompatVersion());
            out.field("minimum_index_compatibility_version", build.minIndexCompatVersion());
            return out.endObject().field("tagline", "You Know, for Search").endObject();
        }
    }
}
