// The Function App on Container Apps: scales to nothing, billed by the second.

@description('Name of the Function App.')
param name string

@description('Region.')
param location string

@description('Tags.')
param tags object

@description('Name of the environment.')
param environmentName string

@description('Host name of the registry.')
param registryServer string

@description('Image.')
param image string

@description('Resource id of the identity that pulls, reads secrets and acts.')
param identityId string

@description('Name and value of each app setting.')
param settings array

@description('Address of the vault, with a slash at its end.')
param vaultUrl string

@description('Whether the vault holds admin-token.')
param useAdminToken bool

@description('Whether the vault holds api-key.')
param useApiKey bool

@description('Processors; memory in GiB is twice that.')
param cpu int

@description('Fewest instances.')
param minInstances int

@description('Most instances.')
param maxInstances int

// Without a version in the address: the platform looks for a newer one every half hour.
var adminSecret = useAdminToken ? [
  {
    name: 'admin-token'
    keyVaultUrl: '${vaultUrl}secrets/admin-token'
    identity: identityId
  }
] : []
var keySecret = useApiKey ? [
  {
    name: 'api-key'
    keyVaultUrl: '${vaultUrl}secrets/api-key'
    identity: identityId
  }
] : []
var adminSetting = useAdminToken ? [
  {
    name: 'PNEUMONIA_ADMIN_TOKEN'
    secretRef: 'admin-token'
  }
] : []
var keySetting = useApiKey ? [
  {
    name: 'PNEUMONIA_API_KEY'
    secretRef: 'api-key'
  }
] : []
var keyStorage = [
  {
    name: 'AzureWebJobsSecretStorageType' // function keys lie among the app's secrets
    value: 'containerapp'
  }
]

resource managedEnvironment 'Microsoft.App/managedEnvironments@2025-07-01' existing = {
  name: environmentName
}

resource functionApp 'Microsoft.App/containerApps@2025-07-01' = {
  name: name
  location: location
  tags: tags
  kind: 'functionapp'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${identityId}': {}
    }
  }
  properties: {
    environmentId: managedEnvironment.id
    workloadProfileName: 'Consumption'
    configuration: {
      activeRevisionsMode: 'Single'
      secrets: concat(adminSecret, keySecret)
      registries: [
        {
          server: registryServer
          identity: identityId
        }
      ]
      ingress: {
        external: true
        allowInsecure: false
        targetPort: 80
        transport: 'auto'
      }
    }
    template: {
      containers: [
        {
          name: 'pneumonia'
          image: image
          env: concat(settings, keyStorage, adminSetting, keySetting)
          resources: {
            cpu: cpu
            memory: '${2 * cpu}Gi'
          }
          probes: [
            {
              // The model is loaded and has passed its self-test; a start waits up to 15 s for the store.
              type: 'Startup'
              httpGet: {
                path: '/health/ready'
                port: 80
              }
              periodSeconds: 3
              timeoutSeconds: 3
              failureThreshold: 40
            }
            {
              // Alive, not ready: a store that is down is no reason to start again.
              type: 'Liveness'
              httpGet: {
                path: '/health/live'
                port: 80
              }
              periodSeconds: 30
              timeoutSeconds: 10
              failureThreshold: 3
            }
            {
              type: 'Readiness'
              httpGet: {
                path: '/health/ready'
                port: 80
              }
              periodSeconds: 10
              timeoutSeconds: 5
              failureThreshold: 3
            }
          ]
        }
      ]
      scale: {
        minReplicas: minInstances
        maxReplicas: maxInstances
      }
    }
  }
}
